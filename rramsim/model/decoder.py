"""The small causal decoder of the package glassllm, as far as its attention scores."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rramsim.arrays import Single

from .layers import softmax

__all__ = ["attention_scores", "read_weights"]

Weights = Mapping[str, Single]


def read_weights(path: Path) -> tuple[dict[str, Single], dict[str, Any]]:
    """Read the arrays of a model, and the numbers that describe it."""
    with np.load(path, allow_pickle=False) as archive:
        weights = {name: archive[name].astype(np.float32) for name in archive.files if name != "__config__"}
        return weights, json.loads(str(archive["__config__"]))


def attention_scores(weights: Weights, config: Mapping[str, Any], tokens: list[int]) -> Single:
    """Scores of one text before the softmax: (layers, heads, length, length), minus infinity after each query.

    Parameters
    ----------
    weights, config
        From :func:`read_weights`: rotary positions, keys and values shared by groups of heads, gated layers between.
    tokens
        Numbers of the tokens, at most ``config["max_len"]``.
    """
    heads, groups = int(config["n_heads"]), int(config["n_kv_heads"])
    x, scores, length = weights["E"][tokens], [], len(tokens)
    later = np.triu(np.ones((length, length), np.bool_), 1)
    for layer in range(int(config["n_layers"])):
        block = f"blocks.{layer}."
        normed = _rms_norm(x, weights[f"{block}norm1.gamma"])
        query = _rotated(_split_heads(normed @ weights[f"{block}attn.W_Q"], heads), float(config["rope_base"]))
        key = _rotated(_split_heads(normed @ weights[f"{block}attn.W_K"], groups), float(config["rope_base"]))
        value = np.repeat(_split_heads(normed @ weights[f"{block}attn.W_V"], groups), heads // groups, axis=0)
        key = np.repeat(key, heads // groups, axis=0)
        score = query @ key.swapaxes(1, 2) / np.float32(np.sqrt(query.shape[-1]))
        score[:, later] = -np.inf
        scores.append(score)
        context = np.asarray(softmax(score) @ value, np.float32).swapaxes(0, 1).reshape(length, -1)
        x = x + context @ weights[f"{block}attn.W_O"]
        normed = _rms_norm(x, weights[f"{block}norm2.gamma"])
        gate = normed @ weights[f"{block}ffn.W1"]
        x = x + (gate / (1.0 + np.exp(-gate)) * (normed @ weights[f"{block}ffn.W3"])) @ weights[f"{block}ffn.W2"]
    return np.stack(scores)


def _split_heads(x: Single, n: int) -> Single:
    return x.reshape(len(x), n, -1).swapaxes(0, 1)


def _rms_norm(x: Single, gain: Single) -> Single:
    return np.asarray(x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(1e-6)) * gain)


def _rotated(x: Single, base: float) -> Single:
    """Pairs of numbers, rotated by an angle that grows with the position (J. Su et al., arXiv 2104.09864)."""
    half = x.shape[-1] // 2
    angle = np.outer(np.arange(x.shape[1]), base ** (-np.arange(half) / half))
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    rotated = np.empty_like(x)
    rotated[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
    rotated[..., 1::2] = x[..., 0::2] * sin + x[..., 1::2] * cos
    return rotated

"""The small causal decoder of the package glassllm, as far as its attention scores."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rramsim.arrays import Single

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
        own = f"blocks.{layer}."
        inner = _norm(x, weights[f"{own}norm1.gamma"])
        query = _turned(_heads(inner @ weights[f"{own}attn.W_Q"], heads), float(config["rope_base"]))
        key = _turned(_heads(inner @ weights[f"{own}attn.W_K"], groups), float(config["rope_base"]))
        value = np.repeat(_heads(inner @ weights[f"{own}attn.W_V"], groups), heads // groups, axis=0)
        key = np.repeat(key, heads // groups, axis=0)
        seen = query @ key.swapaxes(1, 2) / np.float32(np.sqrt(query.shape[-1]))
        seen[:, later] = -np.inf
        scores.append(seen)
        share = np.exp(seen - seen.max(axis=-1, keepdims=True))
        mixed = (share / share.sum(axis=-1, keepdims=True) @ value).swapaxes(0, 1).reshape(length, -1)
        x = x + mixed @ weights[f"{own}attn.W_O"]
        inner = _norm(x, weights[f"{own}norm2.gamma"])
        gate = inner @ weights[f"{own}ffn.W1"]
        x = x + (gate / (1.0 + np.exp(-gate)) * (inner @ weights[f"{own}ffn.W3"])) @ weights[f"{own}ffn.W2"]
    return np.stack(scores)


def _heads(x: Single, n: int) -> Single:
    return x.reshape(len(x), n, -1).swapaxes(0, 1)


def _norm(x: Single, gain: Single) -> Single:
    return np.asarray(x / np.sqrt((x * x).mean(axis=-1, keepdims=True) + np.float32(1e-6)) * gain)


def _turned(x: Single, base: float) -> Single:
    """Pairs of numbers turned by an angle that grows with the position (J. Su et al., arXiv 2104.09864)."""
    half = x.shape[-1] // 2
    angle = np.outer(np.arange(x.shape[1]), base ** (-np.arange(half) / half))
    cos, sin = np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32)
    turned = np.empty_like(x)
    turned[..., 0::2] = x[..., 0::2] * cos - x[..., 1::2] * sin
    turned[..., 1::2] = x[..., 0::2] * sin + x[..., 1::2] * cos
    return turned

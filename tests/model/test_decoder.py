"""The small decoder in NumPy: its files, and its scores against slow forward passes."""

import json
import math

import numpy as np
import pytest
from helpers.language_models import CONFIG, decoder_weights
from numpy.testing import assert_allclose

from rramsim.model import decoder


def test_first_layer_by_hand():
    """Rotary positions turn pairs of numbers; two heads share keys."""
    weights, tokens = decoder_weights(seed=1), [3, 0, 7]
    x = weights["E"][tokens].astype(float)
    x = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-6) * weights["blocks.0.norm1.gamma"]
    q, k = x @ weights["blocks.0.attn.W_Q"], x @ weights["blocks.0.attn.W_K"]
    scores = decoder.attention_scores(weights, CONFIG, tokens)
    for head in range(4):
        for i in range(3):
            for j in range(3):
                total = 0.0
                for pair in range(2):
                    one = complex(*q[i, 4 * head + 2 * pair :][:2]) * np.exp(1j * i * 100.0 ** (-pair / 2))
                    other = complex(*k[j, 4 * (head // 2) + 2 * pair :][:2]) * np.exp(1j * j * 100.0 ** (-pair / 2))
                    total += (one * other.conjugate()).real
                expected = total / 2 if j <= i else -math.inf
                assert scores[0, head, i, j] == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_what_comes_later_has_no_part_in_any_layer():
    weights = decoder_weights(seed=1)
    short = decoder.attention_scores(weights, CONFIG, [3, 0, 7])
    longer = decoder.attention_scores(weights, CONFIG, [3, 0, 7, 6, 2])
    assert_allclose(longer[:, :, :3, :3], short, rtol=1e-4, atol=1e-5)


def test_weights_are_read(tmp_path):
    path = tmp_path / "en.npz"
    np.savez(path, E=np.ones((2, 2), np.float16), __config__=np.array(json.dumps(CONFIG)))
    weights, config = decoder.read_weights(path)
    assert config == CONFIG
    assert weights["E"].dtype == np.float32


def test_every_layer_is_that_of_a_slow_forward_pass():
    weights = {name: value.astype(float) for name, value in decoder_weights().items()}
    tokens, heads, groups, size = [3, 0, 7, 5, 1], 4, 2, 4
    scores = decoder.attention_scores(decoder_weights(), CONFIG, tokens)

    def norm(x, gain):
        return [v / math.sqrt(sum(u * u for u in x) / len(x) + 1e-6) * g for v, g in zip(x, gain, strict=True)]

    def linear(x, matrix):
        return [sum(v * matrix[row, column] for row, v in enumerate(x)) for column in range(matrix.shape[1])]

    def rotated(x, place):
        numbers = [complex(*x[2 * pair : 2 * pair + 2]) for pair in range(size // 2)]
        angles = [place * CONFIG["rope_base"] ** (-2 * pair / size) for pair in range(size // 2)]
        return [number * complex(math.cos(a), math.sin(a)) for number, a in zip(numbers, angles, strict=True)]

    def part(x, head):
        return x[size * head : size * (head + 1)]

    x = [list(weights["E"][token]) for token in tokens]
    for layer in range(CONFIG["n_layers"]):
        block = {name.removeprefix(f"blocks.{layer}."): value for name, value in weights.items()}
        normed = [norm(row, block["norm1.gamma"]) for row in x]
        query, key, value = ([linear(row, block[f"attn.W_{kind}"]) for row in normed] for kind in "QKV")
        for i in range(len(tokens)):
            context = []
            for head in range(heads):
                group = head * groups // heads
                ahead = rotated(part(query[i], head), i)
                behind = [rotated(part(key[j], group), j) for j in range(i + 1)]
                row = [sum((a * b.conjugate()).real for a, b in zip(ahead, b, strict=True)) / 2 for b in behind]
                assert_allclose(scores[layer, head, i, : i + 1], row, rtol=1e-3, atol=1e-4)
                assert (scores[layer, head, i, i + 1 :] == -np.inf).all()
                total = sum(math.exp(score) for score in row)
                context += [
                    sum(math.exp(score) / total * part(value[j], group)[c] for j, score in enumerate(row))
                    for c in range(size)
                ]
            x[i] = list(np.add(x[i], linear(context, block["attn.W_O"])))
            inner = norm(x[i], block["norm2.gamma"])
            gate, up = linear(inner, block["ffn.W1"]), linear(inner, block["ffn.W3"])
            passed = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up, strict=True)]
            x[i] = list(np.add(x[i], linear(passed, block["ffn.W2"])))

"""MiniLM in NumPy: its tokens, its files, and its scores against a slow forward pass."""

import math

import numpy as np
import pytest
from helpers.language_models import bert_weights, write_safetensors
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.model import minilm

VOCABULARY = {
    piece: number
    for number, piece in enumerate(
        ["[UNK]", "[CLS]", "[SEP]", "play", "##ing", "##s", "a", "guitar", ".", "中", "un", "##"]
    )
}


class TestTokens:
    @pytest.mark.parametrize(
        ("text", "pieces"),
        [
            ("Playing a guitar.", ["play", "##ing", "a", "guitar", "."]),
            ("  plays\n\ta ", ["play", "##s", "a"]),
            ("PLÁY", ["play"]),
            ("unknown", ["[UNK]"]),
            ("a中a", ["a", "中", "a"]),
            ("", []),
            ("x" * 200, ["[UNK]"]),
        ],
    )
    def test_longest_pieces_first(self, text, pieces):
        expected = [VOCABULARY[piece] for piece in ["[CLS]", *pieces, "[SEP]"]]
        assert minilm.tokenize(text, VOCABULARY) == expected


class TestFiles:
    def test_safetensors(self, tmp_path):
        """Tensors of other types than floating point are left out."""
        one, two = np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(4, dtype=np.float16)
        path = tmp_path / "model.safetensors"
        write_safetensors(path, {"one": one, "two": two, "numbers": np.zeros(1, np.int64)}, {"format": "pt"})
        tensors = minilm.read_safetensors(path)
        assert set(tensors) == {"one", "two"}
        assert_array_equal(tensors["one"], one)
        assert_array_equal(tensors["two"], two)

    def test_vocabulary(self, tmp_path):
        (tmp_path / "vocab.txt").write_text("[UNK]\nplay\n##ing\n", encoding="utf-8")
        assert minilm.read_vocabulary(tmp_path / "vocab.txt") == {"[UNK]": 0, "play": 1, "##ing": 2}


def softmax(row):
    top = [math.exp(x - max(row)) for x in row]
    return [x / sum(top) for x in top]


def normed(x, gain, shift):
    mean = sum(x) / len(x)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in x) / len(x) + 1e-12)
    return [(v - mean) / deviation * g + s for v, g, s in zip(x, gain, shift, strict=True)]


def test_scores_are_those_of_a_slow_forward_pass():
    heads, tokens = 2, [1, 5, 3, 2]
    length = len(tokens)
    weights = bert_weights(layers=2, width=6, hidden=10, positions=length)
    weights = {name: 3 * value.astype(float) for name, value in weights.items()}
    scores = minilm.attention_scores({k: v.astype(np.float32) for k, v in weights.items()}, tokens, heads)

    def norm(name, x):
        return [normed(row, weights[f"{name}.weight"], weights[f"{name}.bias"]) for row in x]

    def linear(name, x):
        return [
            [
                sum(map(math.prod, zip(row, w, strict=True))) + b
                for w, b in zip(weights[f"{name}.weight"], weights[f"{name}.bias"], strict=True)
            ]
            for row in x
        ]

    tables = [weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")]
    x = norm("embeddings.LayerNorm", [list(tables[0][t] + tables[1][k] + tables[2][0]) for k, t in enumerate(tokens)])
    for layer in range(2):
        block = f"encoder.layer.{layer}."
        q, k, v = (linear(f"{block}attention.self.{name}", x) for name in ("query", "key", "value"))
        context = [[] for _ in range(length)]
        for head in range(heads):
            part = slice(3 * head, 3 * head + 3)
            for i in range(length):
                row = [
                    sum(a * b for a, b in zip(q[i][part], k[j][part], strict=True)) / math.sqrt(3)
                    for j in range(length)
                ]
                assert_allclose(scores[layer, head, i], row, rtol=1e-3, atol=1e-4)
                probability = softmax(row)
                context[i] += [sum(probability[j] * v[j][part][c] for j in range(length)) for c in range(3)]
        added = linear(f"{block}attention.output.dense", context)
        x = norm(f"{block}attention.output.LayerNorm", np.add(x, added))
        hidden = [
            [0.5 * h * (1 + math.erf(h / math.sqrt(2))) for h in row] for row in linear(f"{block}intermediate.dense", x)
        ]
        x = norm(f"{block}output.LayerNorm", np.add(x, linear(f"{block}output.dense", hidden)))

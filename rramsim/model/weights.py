"""Files of trained parameters: one compressed ``npz`` with the learned arrays, the sizes, and how they were made."""

import lzma
import struct
import zipfile
import zlib
from dataclasses import asdict, dataclass, fields
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

import numpy as np

from rramsim.data import data_path
from rramsim.errors import SpecError

from .encoder import Architecture, VisionTransformer

__all__ = ["TrainedModel", "load_model", "save_model"]

# What NumPy and zipfile raise, between them, for archives with wrong bytes; they have no common base class.
_DAMAGE = (
    AttributeError,
    EOFError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """A network and how it came about.

    Parameters
    ----------
    network
        The network.
    accuracy
        Accuracy on the held-out images in exact arithmetic, 0 to 1.
    seed
        Seed of the training.
    epochs
        Passes through the training images.
    """

    network: VisionTransformer
    accuracy: float
    seed: int
    epochs: int


def save_model(path: Path, model: TrainedModel) -> None:
    """Write a model to ``path``; its parameters are rounded to single precision, so train and score them that way.

    Raises
    ------
    SpecError
        If the file is there already or cannot be written.
    """
    record: dict[str, Any] = {
        **{f"architecture.{name}": np.int64(size) for name, size in asdict(model.network.architecture).items()},
        **{f"parameter.{name}": array.astype(np.float32) for name, array in model.network.parameters.items()},
        "accuracy": np.float64(model.accuracy),
        "seed": np.int64(model.seed),
        "epochs": np.int64(model.epochs),
    }
    try:
        with path.open("xb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **record)
    except OSError as error:
        raise SpecError(f"{path}: cannot write the model ({error.strerror})") from error


def load_model(path: Path | Traversable | None = None) -> TrainedModel:
    """Read a model.

    Parameters
    ----------
    path
        The file; the model that ships with rramsim if None: a vision transformer for the digits.

    Raises
    ------
    SpecError
        If the file is missing, damaged, or does not hold what its architecture needs.
    """
    source = data_path("models", "digits-vit.npz") if path is None else path
    try:
        with source.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            record = {name: stored[name] for name in stored.files}
        architecture = Architecture(**{f.name: int(record[f"architecture.{f.name}"]) for f in fields(Architecture)})
        parameters = {name.removeprefix("parameter."): array for name, array in record.items() if "parameter." in name}
        return TrainedModel(
            network=VisionTransformer(architecture, parameters),
            accuracy=float(record["accuracy"]),
            seed=int(record["seed"]),
            epochs=int(record["epochs"]),
        )
    except FileNotFoundError as error:
        raise SpecError(f"{source}: no such model file") from error
    except SpecError as error:
        raise SpecError(f"{source}: {error}") from error
    except KeyError as error:
        raise SpecError(f"{source}: not a model file, {error.args[0]} is missing") from error
    except _DAMAGE as error:
        raise SpecError(f"{source}: damaged model file ({error})") from error

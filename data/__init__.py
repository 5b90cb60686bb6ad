"""Data that ship with rramsim: device fits, component costs, studies, the digits and a trained model."""

from importlib.resources import files
from importlib.resources.abc import Traversable

__all__ = ["data_path"]


def data_path(*parts: str) -> Traversable:
    """Find the vendored file or directory ``parts``, for example ``data_path("models", "digits-vit.npz")``."""
    return files(__name__).joinpath(*parts)

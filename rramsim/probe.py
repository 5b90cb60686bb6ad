"""Where hardware offers its inner signals: the default keeps nothing, a recorder keeps copies."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["NULL_PROBE", "Probe", "ProbeRecorder"]


class Probe(Protocol):
    """Receiver of inner signals, named by a path such as ``layer0/attention/softmax/match``."""

    active: bool
    """False: computing a signal only for the probe would be a waste."""

    def record(self, name: str, values: NDArray[Any], unit: str = "1") -> None:
        """Keep a copy of ``values``, whose SI unit is ``unit``."""
        ...

    def within(self, name: str) -> "Probe":
        """The probe of the signals below ``name``."""
        ...


class _NullProbe:
    active = False

    def record(self, name: str, values: NDArray[Any], unit: str = "1") -> None:
        """Keep nothing."""

    def within(self, name: str) -> "Probe":  # noqa: ARG002
        return self


NULL_PROBE: Probe = _NullProbe()


class ProbeRecorder:
    """A probe that keeps copies of the signals, by their path."""

    active = True

    def __init__(self, path: str = "", signals: dict[str, tuple[NDArray[Any], str]] | None = None) -> None:
        self._path = path
        self.signals = {} if signals is None else signals

    def record(self, name: str, values: NDArray[Any], unit: str = "1") -> None:
        """Keep a copy of ``values``."""
        self.signals[self._path + name] = (np.array(values), unit)

    def within(self, name: str) -> "ProbeRecorder":
        """The recorder of the signals below ``name``."""
        return ProbeRecorder(f"{self._path}{name}/", self.signals)

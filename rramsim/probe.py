"""Where hardware offers its inner signals; the default keeps nothing."""

from typing import Any, Protocol

from numpy.typing import NDArray

__all__ = ["NULL_PROBE", "Probe"]


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

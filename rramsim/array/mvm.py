"""Analog multiplication: written cells behind the lines of an array."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rramsim.device.base import ProgrammedCells

from .reduction import transconductances
from .wires import WireSpec

__all__ = ["ProgrammedArray"]


@dataclass(frozen=True)
class ProgrammedArray:
    """Arrays of one shape: row voltages v give column currents ``v @ transconductance``.

    Parameters
    ----------
    cells
        Written conductances (..., n_rows, n_columns).
    transconductance
        Exact effective conductances with the wires, same shape, siemens.
    """

    cells: ProgrammedCells
    transconductance: NDArray[np.float64]

    @classmethod
    def wired(cls, cells: ProgrammedCells, wires: WireSpec) -> Self:
        """The written cells (..., n_rows, n_columns) as they look through the wires."""
        return cls(cells, transconductances(cells.g, wires))

    @property
    def noise_deviation(self) -> NDArray[np.float64]:
        """Standard deviation of each cell's share of a column current, siemens, same shape; fresh at every read.

        The share of cell c in a column current is v_c G_c weakened by the wires as T / G; its noise is taken to be
        weakened alike. Without wires that is exact; with them it is too large by up to the share of the current that
        they take away (found by comparison with the sensitivities of the whole network), since a cell that conducts
        more also lowers its own voltage.
        """
        return self.cells.spec.read_noise.relative * self.transconductance

    @property
    def row_conductance(self) -> NDArray[np.float64]:
        """Sum of the cells along each row (..., n_rows), siemens: V^2 times this is the row's power, wires apart."""
        return np.asarray(self.cells.g.sum(axis=-1))

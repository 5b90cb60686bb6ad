"""Analog multiplication: written cells behind the lines of an array."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from rramsim.device.cells import ProgrammedCells

from .reduction import transconductances
from .wires import WireSpec

__all__ = ["ProgrammedArray"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ProgrammedArray:
    """Arrays of one shape: row voltages v give column currents ``v @ transconductance``.

    Parameters
    ----------
    cells
        Written cells (..., n_rows, n_columns).
    g
        Mean conductances that a read sees, same shape, siemens: at the time of the read, at the read voltage.
    relative_noise
        Standard deviation of each cell's read noise as a share of ``g``, same shape; None: no noise.
    transconductance
        Exact effective conductances with the wires, same shape, siemens.
    """

    cells: ProgrammedCells
    g: Array
    relative_noise: Array | None
    transconductance: Array

    @classmethod
    def wired(cls, cells: ProgrammedCells, wires: WireSpec, read_volt: float = 0.0) -> Self:
        """The written cells (..., n_rows, n_columns) as they look through the wires.

        Parameters
        ----------
        cells
            As they were written; they are read ``read_after_second`` of their device later.
        wires
            Lines of the array.
        read_volt
            Voltage of a driven line: a cell whose current is not proportional to the voltage counts with the
            conductance i(v) / v that it has there. Without wires that is exact, since every driven cell sees this
            voltage. 0: the slope at zero voltage.
        """
        held, deviation = cells.moments()
        noise = np.divide(deviation, held, out=np.zeros(held.shape), where=held > 0) if cells.spec.noisy else None
        g, conduction = held, cells.spec.conduction
        if not cells.spec.ohmic:
            g = conduction.current(held, read_volt) / read_volt if read_volt else conduction.slope(held, 0.0)
            if noise is not None and read_volt:
                # A share of the conductance becomes the share of the current that follows from it.
                share = conduction.by_conductance(held, read_volt) * held / np.where(g > 0, g * read_volt, 1.0)
                noise = noise * share
        return cls(cells, g, noise, transconductances(g, wires))

    @property
    def noise_deviation(self) -> Array:
        """Standard deviation of each cell's share of a column current, siemens, same shape; fresh at every read.

        The share of cell c in a column current is v_c G_c weakened by the wires as T / G; its noise is taken to be
        weakened alike. Without wires that is exact; with them it is too large by up to the share of the current that
        they take away (found by comparison with the sensitivities of the whole network), since a cell that conducts
        more also lowers its own voltage.
        """
        if self.relative_noise is None:
            return np.zeros(self.transconductance.shape)
        return self.relative_noise * self.transconductance

    @property
    def row_conductance(self) -> Array:
        """Sum of the cells along each row (..., n_rows), siemens: V^2 times this is the row's power, wires apart."""
        return np.asarray(self.g.sum(axis=-1))

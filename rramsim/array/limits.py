"""Up to which voltages at its inputs an array computes: as far as the law of its cells holds."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.cell.conduction import ConductionSpec
from rramsim.errors import RangeError

__all__ = ["DriveLimit"]


@dataclass(frozen=True)
class DriveLimit:
    """The largest voltages that an array may be driven with.

    Parameters
    ----------
    g
        (n_rows, n_columns) conductances of the cells, siemens.
    conduction
        I-V law of the cells.
    paired_inputs
        Whether every input drives two lines with opposite voltages.
    """

    g: FloatArray
    conduction: ConductionSpec
    paired_inputs: bool

    @property
    def unit_volt(self) -> float:
        """1 V, or less where the law of the cells allows only less on all inputs."""
        most = 1.0 if self.conduction.most_volt is None else self.conduction.most_volt
        return min(1.0, most / (2.0 if self.paired_inputs else 1.0))

    def check(self, volt: FloatArray) -> None:
        """Whether the law of the cells holds for all that a cell can see: no node is outside the span of the sources.

        Parameters
        ----------
        volt
            (n, n_inputs) voltages of the inputs.

        Raises
        ------
        RangeError
            Where it does not.
        SpecError
            Where the law is given by functions that are no law for these cells and voltages.
        """
        if not volt.size or (self.conduction.linear and self.conduction.most_volt is None):
            return
        if self.paired_inputs:
            span = 2.0 * float(np.abs(volt).max())
        else:
            highest, lowest = volt.max(axis=-1, initial=0.0), volt.min(axis=-1, initial=0.0)
            span = float((highest - lowest).max())
        self.conduction.check_cells(self.g, span)
        if self.conduction.most_volt is None:
            return
        self.conduction.check_volt(span, "Network: the voltages of the inputs, 0 V included, span")
        rising_volt, (row, column) = self._first_to_fall
        if span >= rising_volt:
            raise RangeError(
                f"Network: the voltages of the inputs, 0 V included, span {span:g} V; allowed is less than "
                f"{rising_volt:.4g} V, from which on the cell in row {row}, column {column} ({self.g[row, column]:.4g} "
                "S) conducts less and less by its polynomial, so that its current need not be one number. Read at "
                "less, keep to the conductances at which the law was fitted, or give curves that are 0 elsewhere"
            )

    @cached_property
    def _first_to_fall(self) -> tuple[float, tuple[int, int]]:
        """Voltage up to which the currents of all cells rise, and the cell that is the first to fall."""
        volt = self.conduction.rising_volt(self.g)
        row, column = np.unravel_index(int(np.argmin(volt)), volt.shape)
        return float(volt[row, column]), (int(row), int(column))

"""Written cells behind the wires of an array: what they conduct from row to column, and the noise of the columns."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from rramsim.arrays import BoolArray, FloatArray
from rramsim.cell.cells import ProgrammedCells
from rramsim.errors import RangeError
from rramsim.kernels.sensitivity import WEIGHT_PLANES, weigh_noise
from rramsim.threads import run_slices, thread_count

from .reduction import checked_conductance, transconductances
from .wires import Lines, WireSpec, power_of_four

__all__ = ["ProgrammedArray", "noise_weights"]


def noise_weights(
    g: ArrayLike, wires: WireSpec, driven_share: float = 0.5, *, threads: int | None = None
) -> FloatArray:
    """By how much the wires weaken the read noise of each cell on its way into the current of its column.

    Small independent deviations sigma of the cells give column j, with the voltages v on the rows, the variance
    ``sum_i (v_i W_ij sigma_ij)^2``. That holds in the mean over all drives with this share of rows at one voltage and
    the others at 0 V; the weights do not depend on the data.

    Parameters
    ----------
    g
        (..., n_rows, n_columns) conductances, siemens.
    wires
        Resistances of the lines.
    driven_share
        Share of the rows that are driven at a time, 0 to 1. The more are, the more they lift the bit lines together,
        and the less voltage each cell sees. 0 is right for a single row, and for voltages of either sign that cancel.
    threads
        At most so many; by default one per core. The result does not depend on it.

    Returns
    -------
    numpy.ndarray
        Same shape, 0 to 1; 1 without wires.

    Raises
    ------
    RangeError
        For a share that is none.
    SpecError
        For negative or infinite conductances, or a list of resistances that does not fit.
    """
    return _noise_and_power_weights(checked_conductance(g, "noise_weights"), wires, driven_share, threads)[0]


def _noise_and_power_weights(
    cells: FloatArray, wires: WireSpec, driven_share: float, threads: int | None = None
) -> tuple[FloatArray, FloatArray]:
    """Noise weights of cells, and their mean squared voltages for each row driven with 1 V; shaped like the cells."""
    if not 0.0 <= driven_share <= 1.0:
        raise RangeError(f"driven_share is a share of the rows, 0 to 1; got {driven_share!r}")
    if wires.ideal:
        return np.ones(cells.shape), np.ones(cells.shape)
    n_rows, n_columns = cells.shape[-2:]
    lines = Lines.of(wires, n_rows, n_columns, siemens=power_of_four(float(cells.max())))
    # Rows are turned round once more, so that the lines begin at their read circuits.
    turned = np.ascontiguousarray(lines.turned(cells.reshape(-1, n_rows, n_columns))[:, ::-1])
    near, segment, far = (each[::-1].copy() for each in (lines.input_near, lines.input_segment, lines.input_far))
    outputs = (lines.output_far, lines.output_segment, lines.output_near)
    weight, square, share = np.empty(turned.shape), np.empty(turned.shape), float(driven_share)

    def weigh_some(start: int, stop: int) -> None:
        work = np.empty(WEIGHT_PLANES * n_rows * n_columns)
        weigh_noise(turned, near, segment, far, *outputs, share, start, stop, work, weight, square)

    run_slices(weigh_some, len(turned), thread_count() if threads is None else threads)
    weight, square = (np.ascontiguousarray(lines.turned(x[:, ::-1])).reshape(cells.shape) for x in (weight, square))
    return weight, square


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
        Standard deviation of each cell's share of its column current as a fraction of ``transconductance``, same shape;
        None: no noise.
    transconductance
        Exact effective conductances with the wires, same shape, siemens.
    noise_third
        Third central moment of each cell's share of its column current, same shape, siemens^3; None: the noise is
        symmetric, or taken to be.
    row_power
        (..., n_rows) siemens: see ``row_conductance``; None: the lines lose no voltage.
    """

    cells: ProgrammedCells
    g: FloatArray
    relative_noise: FloatArray | None
    transconductance: FloatArray
    noise_third: FloatArray | None = None
    row_power: FloatArray | None = None

    @classmethod
    def wired(
        cls,
        cells: ProgrammedCells,
        wires: WireSpec,
        read_volt: float = 0.0,
        *,
        filled: BoolArray | None = None,
        driven_share: float = 0.5,
    ) -> Self:
        """The written cells (..., n_rows, n_columns) as they look through the wires.

        Parameters
        ----------
        cells
            As they were written; they are read ``read_after_second`` of their device later.
        wires
            Lines of the array; they have the temperature of the cells.
        read_volt
            Voltage of a driven line: a cell whose current is not proportional to the voltage counts with the
            conductance i(v) / v that it has there. Without wires that is exact, since every driven cell sees this
            voltage. 0: the slope at zero voltage.
        filled
            Which traps are filled, in the shape of the cells; None: each by chance at every read.
        driven_share
            Share of the rows that are driven at a time, for the noise; see :func:`noise_weights`.

        Notes
        -----
        The moments of the cells are exact; behind wires the noise is that of small deviations.
        """
        at_read = _cells_at_read(cells, read_volt, filled)
        g, variance = at_read.g, at_read.variance
        wires = wires.beside_cells(cells.spec.temperature.kelvin)
        t = transconductances(g, wires)
        weight, square = _noise_and_power_weights(g, wires, driven_share)
        power = (g * square).sum(axis=-1)
        if not variance.any():
            return cls(cells, g, np.zeros(g.shape) if cells.spec.noisy else None, t, row_power=power)
        if at_read.gain is not None:
            weight *= at_read.gain
        deviation = weight * np.sqrt(variance)
        third = weight**3 * at_read.third if at_read.third.any() else None
        return cls(cells, g, np.divide(deviation, t, out=np.zeros(t.shape), where=t > 0), t, third, power)

    @classmethod
    def banked(
        cls,
        cells: ProgrammedCells,
        wires: WireSpec,
        read_volt: float,
        bank_rows: int,
        *,
        driven_share: float = 0.5,
    ) -> Self:
        """One array (n_rows, n_columns) whose column lines are divided: so many rows share one.

        The currents of the parts are added at the read circuits. See :meth:`wired` for the rest.
        """
        parts = [cls.wired(bank, wires, read_volt, driven_share=driven_share) for bank in cells.banks(bank_rows)]
        noise = [part.relative_noise for part in parts if part.relative_noise is not None]
        return cls(
            cells,
            np.concatenate([part.g for part in parts]),
            np.concatenate(noise) if noise else None,
            np.concatenate([part.transconductance for part in parts]),
            row_power=np.concatenate([part.row_conductance for part in parts]),
        )

    @property
    def noise_deviation(self) -> FloatArray:
        """Standard deviation of each cell's share of a column current, siemens, same shape; fresh at every read."""
        if self.relative_noise is None:
            return np.zeros(self.transconductance.shape)
        return self.relative_noise * self.transconductance

    @property
    def noise_variance(self) -> FloatArray:
        """Variance of each cell's share of a column current, siemens^2, same shape.

        Row voltages v give the column currents the variance ``v**2 @ noise_variance``.
        """
        return np.square(self.noise_deviation)

    @property
    def row_conductance(self) -> FloatArray:
        """What times V^2 is the power of the cells for each driven row (..., n_rows), siemens; that of the wires apart.

        The sum of the conductances along the row, each times the squared share of the voltage that is left to it, in
        the mean over all drives of the stated share of rows.
        """
        return np.asarray(self.g.sum(axis=-1)) if self.row_power is None else self.row_power


class _CellsAtRead(NamedTuple):
    """What a read sees of each cell, in the shape of the cells.

    Parameters
    ----------
    g
        Conductances i(v) / v at the read voltage, siemens.
    variance, third
        Second and third central moment of the conductances at small voltage, siemens^2 and siemens^3.
    gain
        By how much ``g`` changes with the conductance at small voltage; None: they are the same.
    """

    g: FloatArray
    variance: FloatArray
    third: FloatArray
    gain: FloatArray | None


def _cells_at_read(cells: ProgrammedCells, read_volt: float, filled: BoolArray | None) -> _CellsAtRead:
    """All that an array must know of its cells at a read voltage, volt; 0 is the limit of small voltages."""
    small, variance, third = cells.cumulants(filled=filled)
    if cells.spec.ohmic:
        return _CellsAtRead(small, variance, third, None)
    conduction = cells.spec.conduction
    g = conduction.current(small, read_volt) / read_volt if read_volt else conduction.slope(small, 0.0)
    if not variance.any():
        return _CellsAtRead(g, variance, third, None)
    if read_volt:
        gain = conduction.by_conductance(small, read_volt) / read_volt
    else:
        # Taken to be that of a proportional change.
        gain = np.divide(g, small, out=np.zeros(g.shape), where=small > 0)
    return _CellsAtRead(g, variance, third, gain)

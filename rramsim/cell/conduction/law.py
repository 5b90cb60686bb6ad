"""What every I-V law of a cell has, and what it must say of itself."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from rramsim.arrays import FloatArray
from rramsim.cell.part import Declaration, DevicePart, Effect, Window
from rramsim.errors import RangeError
from rramsim.kernels.circuit import CellTable
from rramsim.kernels.conduction import LAWS, cell_currents
from rramsim.kinds import KindSpec
from rramsim.spec import NonNegative, Positive
from rramsim.units import quantity

__all__ = ["NO_CURVES", "ConductionSpec", "KernelConductionSpec"]

_ROUNDING = 1e-9
"""Share by which a voltage may be above the largest one: more than rounding adds, less than any fit resolves."""

NO_CURVES = np.empty((0, 0))
"""Coefficients of a law whose cells have none of their own."""


class ConductionSpec(KindSpec, DevicePart):
    """The I-V law of a cell; its conductance g is the slope at zero voltage, without the series resistance.

    Each law is a class of its own: :class:`LinearConductionSpec`, :class:`SinhConductionSpec`,
    :class:`CubicConductionSpec` and :class:`PolynomialConductionSpec`, or one that derives from
    :class:`FormulaConductionSpec`, in this package or another.

    Parameters
    ----------
    law
        The I-V law.
    most_volt
        Largest voltage across the cell, either way, at which the law was fitted, volt; where it is not given, any.
    series_ohm
        Resistance in series with the cell, that of its access transistor; the laws hold for what is left of the
        voltage.

    Raises
    ------
    RangeError
        By its functions, for a voltage beyond ``most_volt``.
    """

    declared: ClassVar = Declaration("I-V", (Effect.CONDUCTION,))
    discriminator: ClassVar[str] = "law"
    linear: ClassVar[bool] = False
    """Whether the current is proportional to the voltage."""

    law: str
    most_volt: Positive | None = None
    series_ohm: NonNegative = 0.0

    @property
    @abstractmethod
    def formula(self) -> str:
        """The law in letters: ``"i = g v"``."""

    @abstractmethod
    def figures(self, g_max_siemens: float) -> list[str]:
        """What the letters of the formula stand for: ``["V0 = 250 mV"]``, one a line.

        Parameters
        ----------
        g_max_siemens
            Top of the window of the device.
        """

    @abstractmethod
    def spice_current(self, across: str, siemens: float) -> str:
        """The current of a cell as an expression of ngspice.

        Parameters
        ----------
        across
            The voltage across the cell, as ngspice writes it: ``"v(a,b)"``.
        siemens
            Its conductance, above 0.
        """

    @abstractmethod
    def cell_table(self, g: FloatArray, polarity: float = 1.0) -> CellTable:
        """Cells with this law as the solver of an array takes them.

        Parameters
        ----------
        g
            (M, N) conductances, siemens, float64, C-contiguous.
        polarity
            1, or -1 where voltages are counted against the direction in which the law counts them.
        """

    @abstractmethod
    def _currents(self, g: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Currents, ampere, and slopes, siemens, of cells (n,) with their resistance, at voltages (n,)."""

    @abstractmethod
    def _by_conductance_alone(self, g: FloatArray, v: FloatArray) -> FloatArray:
        """Derivatives of the currents by the conductance, volt, of cells (n,) without their resistance."""

    def spice(self, name: str, first: str, second: str, siemens: float) -> str:
        """A line of a netlist: a cell without its series resistance.

        Parameters
        ----------
        name
            What tells it from the other cells: ``"0_1"``.
        first, second
            Names of its nodes on the word and on the bit line.
        siemens
            Its conductance, above 0.
        """
        return f"BC_{name} {first} {second} i={self.spice_current(f'v({first},{second})', siemens)}"

    def sentences(self, window: Window, *, given: bool) -> list[str]:
        """What a card says of the law, line by line; of a resistor only where the card speaks of it."""
        if self.linear and not self.series_ohm and not given:
            return []
        figures = self.figures(window.g_max_siemens)
        short = len(figures) == 1
        text = [
            ", ".join(
                [
                    self.formula,
                    *(figures if short else ()),
                    *([f"fitted up to {quantity(self.most_volt, 'V')}"] if self.most_volt else ()),
                ]
            )
        ]
        text += [] if short else figures
        return [*text, *([f"in series: {self.series_ohm:g} ohm, the access transistor"] if self.series_ohm else ())]

    def current(self, g: ArrayLike, v: ArrayLike) -> FloatArray:
        """Currents, ampere, of cells of conductance g (siemens) at voltages v (volt), broadcast together."""
        return self._evaluate(g, v)[0]

    def slope(self, g: ArrayLike, v: ArrayLike) -> FloatArray:
        """Derivatives of the currents by the voltage, siemens, of cells of conductance g (siemens) at v (volt)."""
        return self._evaluate(g, v)[1]

    def by_conductance(self, g: ArrayLike, v: ArrayLike) -> FloatArray:
        """Derivatives of the currents by the conductance g, volt: of all that depends on it."""
        current, slope = self._evaluate(g, v)
        # di/dg of the cell itself at the voltage that the series resistance leaves, weakened as the slope is.
        inner = np.asarray(v, dtype=np.float64) - self.series_ohm * current
        cells, volts = np.broadcast_arrays(np.asarray(g, dtype=np.float64), inner)
        alone = self._by_conductance_alone(_flat(cells), _flat(volts)).reshape(volts.shape)
        return np.asarray(alone * (1.0 - self.series_ohm * slope))

    def rising_volt(self, g: ArrayLike) -> FloatArray:
        """Voltage, volt, up to which the current of a cell of conductance g, siemens, rises at either polarity."""
        return np.full(np.shape(g), np.inf)

    def check_cells(self, g: FloatArray, volt: float) -> None:
        """Refuse cells to which the law cannot be applied.

        Parameters
        ----------
        g
            Their conductances, siemens.
        volt
            The largest voltage that a cell can see, volt.
        """

    def check_volt(self, volt: float, what: str) -> None:
        """Refuse a voltage beyond those at which the law was fitted.

        Parameters
        ----------
        volt
            The largest voltage that a cell can see, volt.
        what
            Beginning of the message: which voltage it is.

        Raises
        ------
        RangeError
            Where it is above ``most_volt``.
        """
        if self.most_volt is not None and volt > self.most_volt * (1.0 + _ROUNDING):
            raise RangeError(
                f"{what} {volt:g} V; allowed are at most {self.most_volt:g} V (most_volt) either way, up to which the "
                f"{self.law} law of these cells was fitted"
            )

    def _evaluate(self, g: ArrayLike, v: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Currents, ampere, and their slopes, siemens; refused where the law does not hold."""
        cells, volts = np.broadcast_arrays(np.asarray(g, dtype=np.float64), np.asarray(v, dtype=np.float64))
        if self.most_volt is not None:
            self.check_volt(float(np.abs(volts).max(initial=0.0)), "ConductionSpec: a voltage across a cell of")
        current, slope = self._currents(_flat(cells), _flat(volts))
        return current.reshape(cells.shape), slope.reshape(cells.shape)


class KernelConductionSpec(ConductionSpec):
    """A law that the kernels know by its number and one parameter."""

    @property
    def kind(self) -> int:
        """The law as the kernels number it."""
        return int(LAWS.index(self.law))

    @property
    def curvature(self) -> float:
        """The parameter of the law as the kernels take it."""
        return 0.0

    def cell_table(self, g: FloatArray, polarity: float = 1.0) -> CellTable:  # noqa: ARG002  (odd: the same either way)
        """Cells with this law as the solver of an array takes them."""
        return CellTable(g, self.kind, self.curvature, self.series_ohm, NO_CURVES, NO_CURVES)

    def _currents(self, g: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        return self._by_kernel(g, v, self.series_ohm)

    def _by_conductance_alone(self, g: FloatArray, v: FloatArray) -> FloatArray:
        """The current of a cell of 1 siemens: the laws are proportional to the conductance."""
        return self._by_kernel(np.ones(g.shape), v, 0.0)[0]

    def _by_kernel(self, g: FloatArray, v: FloatArray, series_ohm: float) -> tuple[FloatArray, FloatArray]:
        current, slope = np.empty(g.size), np.empty(g.size)
        cell_currents(self.kind, self.curvature, series_ohm, g, v, current, slope)
        return current, slope


def _flat(values: FloatArray) -> FloatArray:
    return np.array(values, order="C").ravel()  # a copy: NumPy warns of writing to what it has broadcast

"""Laws that are given as functions: how another package brings an I-V law of its own."""

from abc import abstractmethod
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.kernels.circuit import CellTable
from rramsim.kernels.conduction import LAWS
from rramsim.kernels.formula import BY_CONDUCTANCE, EVALUATE, Formula, address_of, formula_currents

from .law import NO_CURVES, ConductionSpec

__all__ = ["FormulaConductionSpec"]

_STEP = 1e-4
"""Of a difference, relative to the voltages and conductances; its error is of the fourth power of it."""
_AGREEMENT = 1e-5
"""By how much a derivative may be off from a difference, relative to it."""
_ROUNDING = 1e-13
"""By how much a current may be off, relative to the largest."""
_N_VOLTS, _N_CELLS = 64, 5


class FormulaConductionSpec(ConductionSpec):
    """A law by its formula: the base of I-V laws beyond those that rramsim has compiled.

    A law derives from this class, names itself (``law: Literal["mine"] = "mine"``), has its figures as fields, and
    defines ``parameters``, ``formula``, ``figures`` and ``spice_current``, and three static functions of numbers in
    plain Python, which numba compiles where the law is first used: ``cell_current``, ``cell_slope`` and
    ``cell_by_conductance``. A package offers it by the entry point ``rramsim.conduction_laws``.

    Parameters
    ----------
    most_volt, series_ohm
        As of :class:`ConductionSpec`.

    Raises
    ------
    SpecError
        By whatever applies it to cells: where numba cannot compile a function, or where for those cells and voltages
        it is no law. The current is finite, 0 at 0 V and nowhere falls as the voltage rises; the conductance is its
        slope at 0 V; both derivatives are those of the current.
    """

    @property
    def parameters(self) -> tuple[float, ...]:
        """Numbers that the functions take, in SI."""
        return ()

    @staticmethod
    @abstractmethod
    def cell_current(volt: float, siemens: float, parameters: NDArray[np.float64]) -> float:
        """Current of a cell, ampere.

        Parameters
        ----------
        volt
            Voltage across it, from word to bit line.
        siemens
            Its conductance at small voltage.
        parameters
            Those of :attr:`parameters`.
        """

    @staticmethod
    @abstractmethod
    def cell_slope(volt: float, siemens: float, parameters: NDArray[np.float64]) -> float:
        """Derivative of the current by the voltage, siemens."""

    @staticmethod
    @abstractmethod
    def cell_by_conductance(volt: float, siemens: float, parameters: NDArray[np.float64]) -> float:
        """Derivative of the current by the conductance, volt."""

    def figures(self, g_max_siemens: float) -> list[str]:  # noqa: ARG002
        """The fields of the law and their values; the letters of the formula are best named here."""
        fields = type(self).model_fields.keys() - ConductionSpec.model_fields.keys()
        return [f"{key} = {getattr(self, key)}" for key in type(self).model_fields if key in fields]

    def cell_table(self, g: FloatArray, polarity: float = 1.0) -> CellTable:
        """Cells with this law as the solver of an array takes them, in this process."""
        reach = np.inf if self.most_volt is None else self.most_volt
        numbers = np.array(self.parameters, dtype=np.float64)
        return CellTable(
            g, LAWS.index("formula"), reach, self.series_ohm, NO_CURVES, NO_CURVES, self._address, polarity, numbers
        )

    def check_cells(self, g: FloatArray, volt: float) -> None:
        """Refuse cells for which the functions are no I-V law up to a voltage.

        Parameters
        ----------
        g
            Their conductances, siemens.
        volt
            The largest voltage that a cell can see, volt.
        """
        cells = g[g > 0.0]
        if not cells.size or not volt > 0.0:
            return
        low, high = float(cells.min()), float(cells.max())
        some = np.unique(np.append(low * (high / low) ** np.linspace(0.0, 1.0, _N_CELLS), high))
        _check(self, some[:, None], volt / (1.0 + 2.0 * _STEP) * np.linspace(-1.0, 1.0, 2 * _N_VOLTS + 1))

    @property
    def _address(self) -> int:
        kind = type(self)
        try:
            return address_of(Formula(kind.cell_current, kind.cell_slope, kind.cell_by_conductance))
        except ValueError as error:
            raise SpecError(f"{kind.__name__}: a function of the {self.law} law cannot be compiled: {error}") from error

    def _currents(self, g: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        self.check_cells(g, float(np.abs(v).max(initial=0.0)))
        return self.rows(EVALUATE, self.series_ohm, g, v)

    def _by_conductance_alone(self, g: FloatArray, v: FloatArray) -> FloatArray:
        derivative = self.rows(BY_CONDUCTANCE, 0.0, g, v)[0]
        if not np.isfinite(derivative).all():
            k = int(np.flatnonzero(~np.isfinite(derivative))[0])
            raise SpecError(
                f"{type(self).__name__}: cell_by_conductance is {derivative[k]} at {g[k]:g} S and {v[k]:g} V; it is "
                "finite, also for an open cell of 0 S"
            )
        return derivative

    def rows(self, what: int, series_ohm: float, g: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Currents and slopes of cells g at voltages v, flat, or what else of :mod:`rramsim.kernels.formula`."""
        numbers = np.array(self.parameters, dtype=np.float64)
        current, slope = np.empty(g.size), np.empty(g.size)
        formula_currents(self._address, what, np.inf, series_ohm, 1.0, numbers, g, v, v, current, slope)
        return current, slope


def _check(law: FormulaConductionSpec, g: FloatArray, v: FloatArray) -> None:
    """Refuse what is no I-V law, or has other derivatives, for cells g (n, 1) at voltages v, ascending around 0."""

    def rows(what: int, g: FloatArray, v: FloatArray) -> tuple[FloatArray, FloatArray]:
        cells, volts = np.broadcast_arrays(g, v)
        flat = law.rows(what, 0.0, np.array(cells).ravel(), np.array(volts).ravel())
        return flat[0].reshape(cells.shape), flat[1].reshape(cells.shape)

    def refuse(where: NDArray[np.bool_], sentence: str) -> None:
        if where.any():
            k, n = np.argwhere(where)[0]
            raise SpecError(
                f"{type(law).__name__}: for a cell of {g[k, 0]:.4g} S at {v[n]:.4g} V, {sentence}: the {law.law} law "
                "cannot be used there"
            )

    current, slope = rows(EVALUATE, g, v)
    by_conductance = rows(BY_CONDUCTANCE, g, v)[0]
    for name, values in (("current", current), ("slope", slope), ("by_conductance", by_conductance)):
        refuse(~np.isfinite(values), f"cell_{name} is not finite")
    most, at_rest = np.abs(current).max(axis=1, keepdims=True), np.broadcast_to(v == 0.0, current.shape)
    refuse(at_rest & (np.abs(current) > _ROUNDING * most), "cell_current is not 0")
    refuse(at_rest & (np.abs(slope - g) > _AGREEMENT * g), "cell_slope is not the conductance")
    falls = np.diff(current, axis=1, append=np.inf) < -_ROUNDING * most
    refuse(falls | (slope < 0.0), "cell_current falls as the voltage rises")
    # At 0 V the law may have a bend, by the conductance it has none.
    step = _STEP * float(v[-1])
    difference = _difference(lambda x: rows(EVALUATE, g, v + x)[0], step)
    off = np.abs(slope - difference) > _AGREEMENT * np.abs(difference) + _ROUNDING * most / step
    refuse(off & ~at_rest, "cell_slope is not the derivative of cell_current by the voltage")
    difference = _difference(lambda x: rows(EVALUATE, g * (1.0 + x), v)[0], _STEP) / g
    off = np.abs(by_conductance - difference) > _AGREEMENT * np.abs(difference) + _ROUNDING * most / (_STEP * g)
    refuse(off, "cell_by_conductance is not the derivative of cell_current by the conductance")


def _difference(function: Callable[[float], FloatArray], step: float) -> FloatArray:
    """The derivative at 0, of fourth order."""
    wide, near = (function(k * step) - function(-k * step) for k in (2, 1))
    return (8.0 * near - wide) / (12.0 * step)

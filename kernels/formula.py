"""Cells whose I-V law is not one of ours: it comes as three Python functions, compiled once and called by address.

The solver of an array is compiled without knowing the law. What it is handed is the address of a function that does a
row of cells, into which the law is compiled.
"""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core import types
from numba.core.errors import NumbaError
from numba.extending import intrinsic

from ._jit import COMPILED, kernel
from .circuit import Array

__all__ = ["BY_CONDUCTANCE", "EVALUATE", "LIMIT", "Formula", "address_of", "formula_currents", "smallest"]

EVALUATE, LIMIT, BY_CONDUCTANCE = range(3)
"""What is wanted of a row: currents and slopes; the same at voltages that a step of Newton's method may go to; or the
derivatives of the currents by the conductance."""

CellFunction = Callable[[float, float, Array], float]
"""A function of the voltage (volt), the conductance (siemens) and the parameters of a law."""


class Formula(NamedTuple):
    """An I-V law as functions of voltage, conductance and parameters that numba can compile.

    Parameters
    ----------
    current
        Ampere.
    slope, by_conductance
        Its derivatives by the voltage, siemens, and by the conductance, volt.
    """

    current: CellFunction
    slope: CellFunction
    by_conductance: CellFunction


_lock = threading.Lock()
_addresses: dict[Formula, int] = {}
_held: list[object] = []
"""What was compiled: its code must stay where its address says.

In plain Python, an address is a place in this list, from 1 on."""


def _alone_of(formula: Formula) -> Callable[..., Any]:
    """The function of a cell without a resistor."""
    current_of, slope_of, _ = formula

    def alone(u: float, g: float, reach: float, polarity: float, parameters: Array) -> tuple[float, float]:
        """Current and slope of a cell; beyond ``reach`` those of the tangent."""
        w = min(max(u, -reach), reach)
        slope = slope_of(polarity * w, g, parameters)
        current = polarity * current_of(polarity * w, g, parameters)
        if w != u:
            current += slope * (u - w)
        return current, slope

    return _compiled(alone)


def _solved_of(alone: Callable[..., Any]) -> Callable[..., Any]:
    """The function of a cell behind its resistor."""

    def solved(
        v: float, g: float, reach: float, series_ohm: float, polarity: float, parameters: Array
    ) -> tuple[float, float, float]:
        """Voltage that the series resistance leaves to a cell, its current, and its slope."""
        if g <= 0.0:
            return v, 0.0, 0.0
        if series_ohm == 0.0:
            current, slope = alone(v, g, reach, polarity, parameters)
            return v, current, slope
        # Newton on inner + R f(inner) = v within the interval of the solution, halved where a step leaves it or is
        # not half of the step before the last (Brent, Algorithms for Minimization without Derivatives, 1973).
        low, high = min(v, 0.0), max(v, 0.0)
        inner = v / (1.0 + series_ohm * g)
        current, slope = alone(inner, g, reach, polarity, parameters)
        step, before = high - low, high - low
        for _ in range(200):
            rest = inner + series_ohm * current - v
            if rest > 0.0:
                high = inner
            else:
                low = inner
            after = inner - rest / (1.0 + series_ohm * slope)
            if not (low <= after <= high and abs(after - inner) <= 0.5 * before):
                after = 0.5 * (low + high)
            before, step, inner = abs(step), after - inner, after
            current, slope = alone(inner, g, reach, polarity, parameters)
            # The last step is done; what it leaves is its square.
            if abs(step) <= 1e-12 * abs(inner):
                break
        return inner, current, slope

    return _compiled(solved)


def _limited_of(solved: Callable[..., Any]) -> Callable[..., Any]:
    """The function of what a step of Newton's method may do to a cell."""

    def limited(
        v: float,
        last: float,
        current: float,
        slope: float,
        g: float,
        reach: float,
        series_ohm: float,
        polarity: float,
        parameters: Array,
    ) -> float:
        """The voltage of a cell to take instead of v, which Newton's method asks for from ``last``.

        Where its line was off by more than half, it stops at 0 V on the way to the other polarity, and where the
        current grew far more than the line said, at the voltage at which it has grown by as much.
        """
        expected = slope * (v - last)
        grown = solved(v, g, reach, series_ohm, polarity, parameters)[1] - current
        if abs(grown - expected) <= 0.5 * abs(expected):
            return v
        if v * last < 0.0:
            return 0.0
        if abs(v) <= abs(last) or abs(grown) <= 2.0 * abs(expected):
            return v
        near, far = last, v
        for _ in range(40):
            middle = 0.5 * (near + far)
            if abs(solved(middle, g, reach, series_ohm, polarity, parameters)[1] - current) > abs(expected):
                far = middle
            else:
                near = middle
        return far

    return _compiled(limited)


def _row_of(formula: Formula) -> Callable[..., int]:
    """The function that does a row of cells of a law, in Python; it is compiled with the law inside."""
    by_conductance_of = formula.by_conductance
    solved = _solved_of(_alone_of(formula))
    limited = _limited_of(solved)

    def row(
        what: int,
        reach: float,
        series_ohm: float,
        polarity: float,
        parameters: Array,
        g: Array,
        v: Array,
        last: Array,
        current: Array,
        slope: Array,
    ) -> int:
        for k in range(g.size):
            if what == LIMIT and g[k] > 0.0:
                v[k] = limited(v[k], last[k], current[k], slope[k], g[k], reach, series_ohm, polarity, parameters)
            inner, i, d = solved(v[k], g[k], reach, series_ohm, polarity, parameters)
            if what == BY_CONDUCTANCE:
                # Of the cell at the voltage that its resistor leaves, weakened as its slope is.
                i = polarity * by_conductance_of(polarity * inner, g[k], parameters) / (1.0 + series_ohm * d)
            current[k] = i
            slope[k] = d / (1.0 + series_ohm * d)
        return 0

    return row


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compiled with the flags of our kernels, or as it is where kernels are plain Python."""
    if not COMPILED or hasattr(function, "py_func"):  # the second: whoever gave it has compiled it
        return function
    compiled: Callable[..., Any] = numba.njit(error_model="numpy", nogil=True)(function)
    return compiled


def address_of(formula: Formula) -> int:
    """Where the function of a law for rows of cells stands in this process, which compiles it where it is asked first.

    Raises
    ------
    ValueError
        Where numba cannot compile one of the functions.
    """
    with _lock:
        if formula not in _addresses:
            _addresses[formula] = _compile(formula)
        return _addresses[formula]


if not COMPILED:

    def _compile(formula: Formula) -> int:
        _held.append(_row_of(formula))
        return len(_held)

    def _call(address: int, *arguments: object) -> int:
        if address:
            _held[address - 1](*arguments)  # type: ignore[operator]
        return 0

else:
    from llvmlite import ir

    _carray: Any = numba.carray  # type: ignore[attr-defined]
    _POINTER = types.CPointer(types.float64)  # type: ignore[no-untyped-call]
    _SIGNATURE = types.int64(*(types.int64,) * 3, *(types.float64,) * 3, *(_POINTER,) * 6)

    def _compile(formula: Formula) -> int:
        """The row of a law as a function of C."""
        row = _compiled(_row_of(Formula(*map(_compiled, formula))))

        def entry(n, n_parameters, what, reach, series_ohm, polarity, parameters, g, v, last, current, slope):  # type: ignore[no-untyped-def]
            return row(
                what,
                reach,
                series_ohm,
                polarity,
                _carray(parameters, n_parameters),
                _carray(g, n),
                _carray(v, n),
                _carray(last, n),
                _carray(current, n),
                _carray(slope, n),
            )

        try:
            compiled = numba.cfunc(_SIGNATURE, error_model="numpy")(entry)
        except NumbaError as error:
            raise ValueError(str(error)) from error
        _held.append(compiled)
        return int(compiled.address or 0)

    @intrinsic
    def _call(typing, address, what, reach, series_ohm, polarity, parameters, g, v, last, current, slope):  # type: ignore[no-untyped-def]  # noqa: ARG001
        """Call the function at an address with the numbers, and where the arrays begin; nothing at address 0."""
        arrays = (parameters, g, v, last, current, slope)

        def generate(context, b, signature, arguments):  # type: ignore[no-untyped-def]  # noqa: ARG001
            address, what, reach, series_ohm, polarity = arguments[:5]
            word, number = ir.IntType(64), ir.DoubleType()
            held = [
                context.make_array(kind)(context, b, value) for kind, value in zip(arrays, arguments[5:], strict=True)
            ]
            pointer = number.as_pointer()
            kind = ir.FunctionType(word, [word] * 3 + [number] * 3 + [pointer] * len(held))
            with b.if_then(b.icmp_signed("!=", address, word(0))):
                function = b.inttoptr(address, kind.as_pointer())
                starts = [b.bitcast(each.data, pointer) for each in held]
                b.call(function, [held[1].nitems, held[0].nitems, what, reach, series_ohm, polarity, *starts])
            return word(0)

        return types.int64(types.int64, types.int64, *(types.float64,) * 3, *arrays), generate


@kernel
def formula_currents(
    address: int,
    what: int,
    reach: float,
    series_ohm: float,
    polarity: float,
    parameters: Array,
    g: Array,
    v: Array,
    last: Array,
    current: Array,
    slope: Array,
) -> None:
    """Currents and slopes of many cells of a law that is given as functions, each with a resistor in series.

    Parameters
    ----------
    address
        That of :func:`address_of`; 0 does nothing.
    what
        :data:`EVALUATE`, :data:`LIMIT` or :data:`BY_CONDUCTANCE`.
    reach
        Volt: beyond it, on either side, the law goes on along its tangent; infinite where it does not.
    series_ohm
        Resistance in series; the law holds for what it leaves of the voltage.
    polarity
        1, or -1 where the law is that of the opposite voltage and current.
    parameters
        (k,) of the law.
    g, v
        (n,) siemens and volt. LIMIT replaces v, which Newton's method asks for, by where it may go.
    last
        (n,) voltages of its last step, volt, for LIMIT.
    current, slope
        Out: (n,) ampere and siemens; of BY_CONDUCTANCE, ``current`` is the derivative by the conductance, volt. LIMIT
        also takes those of the last step from there.

    Notes
    -----
    All arrays are float64, and the numbers of each one after the other in memory.
    """
    _call(address, what, reach, series_ohm, polarity, parameters, g, v, last, current, slope)


def smallest() -> None:
    """Run the kernel once, without a law: each law is compiled where it is first used."""
    cell = np.ones(1)
    formula_currents(0, EVALUATE, 1.0, 0.0, 1.0, cell, cell, cell, cell, cell, cell)

"""Arrays, and what is called for the output currents of each, by rramsim and by the peers: tables as lists of rows."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import peers
from timing import Timed, in_turns, progress

import rramsim as rs

__all__ = [
    "BATCHES",
    "CASES",
    "OHM",
    "WIRES",
    "Effort",
    "Row",
    "Setup",
    "linear_methods",
    "linear_tables",
    "nonlinear_tables",
    "oblong_table",
]

OHM = 1.0
"""Resistance of a segment; one more is before the first cell of a word line and after the last one of a bit line."""
WIRES = rs.WireSpec(word_line_ohm=OHM, bit_line_ohm=OHM, end_segments=True)
BATCHES = (1024, 16384)
TOLERANCES = ("1e-10", "2e-4")
"""Tolerances of the fixed-point iteration, relative to the largest voltage; that of CrossSim is 1e-3."""
PROBES = 8
"""Vectors of a batch, and rows of a matrix, that are compared with the reference."""
CASES = ("vector", "batch", "transconductance", "nonlinear", "oblong")


class Effort(NamedTuple):
    """Turns of every method, and the seconds after which a method has no more."""

    rounds: int
    budget: float


class Row(NamedTuple):
    """One method in a table: its seconds and error, or why there are none."""

    method: str
    seconds: float | None
    error: float | None = None
    calls: int | None = None
    note: str = ""


class Setup:
    """An array of one shape with its drives, their exact output currents, and what the peers make beforehand."""

    def __init__(self, shape: tuple[int, int]) -> None:
        rng = np.random.default_rng(shape)
        self.shape = shape
        self.g = np.exp(rng.uniform(np.log(1e-6), np.log(100e-6), shape))
        self.v = rng.uniform(0.0, 0.2, (BATCHES[-1], shape[0]))
        self.circuit = peers.Circuit(shape, OHM)
        self.rows = np.linspace(0, shape[0] - 1, PROBES).astype(int)

    @cached_property
    def _exact(self) -> np.ndarray:
        progress("{} x {}: reference".format(*self.shape))
        drives = np.concatenate([self.v[:PROBES], np.eye(self.shape[0])[self.rows]])
        return peers.reference(self.circuit, self.g, drives)

    @property
    def exact(self) -> np.ndarray:
        """Output currents of the first vectors."""
        return self._exact[:PROBES]

    @property
    def exact_rows(self) -> np.ndarray:
        """Some rows of the transconductance matrix."""
        return self._exact[PROBES:]

    def network(self, **options: Any) -> rs.Network:
        """A new network for every call: nothing is known of the array beforehand."""
        return rs.Network(self.g, WIRES, **options)


def relative_error(currents: np.ndarray | None, exact: np.ndarray) -> float | None:
    """The worst error of all outputs, each relative to itself."""
    if currents is None:
        return None
    return float(np.max(np.abs(np.atleast_2d(currents)[: len(exact)] - exact) / np.abs(exact)))


def measured(method: str, timed: Timed, exact: np.ndarray) -> Row:
    if timed.result is None:
        return Row(method, None, note="does not converge")
    return Row(method, timed.seconds, relative_error(timed.result, exact), timed.calls)


def absent(method: str) -> Row:
    return Row(method, None, note="not installed" if peers.badcrossbar_currents() is None else "not run")


def linear_methods(setup: Setup, cases: Sequence[str]) -> dict[str, Callable[[], Any]]:
    """What is called for these cases, by name."""
    g, v, circuit = setup.g, setup.v, setup.circuit
    one, some = v[0], v[:64]
    methods: dict[str, Callable[[], Any]] = {}
    badcrossbar = peers.badcrossbar_currents()
    if "vector" in cases:
        methods["vector"] = lambda: setup.network().currents(one)
        methods["splu, tuned 1"] = lambda: circuit.currents(circuit.factor(g), one[None])
    if "vector" in cases or "batch" in cases:
        for name in TOLERANCES:
            tolerance = float(name)
            factor = peers.best_factor(g, one, OHM, tolerance)
            for suffix, iterate in (("", peers.fixed_point), (", NumPy", peers.fixed_point_numpy)):
                methods[f"fixed point {name}{suffix}"] = lambda iterate=iterate, factor=factor, tolerance=tolerance: (
                    iterate(g, one, OHM, factor, tolerance)
                )
        methods["splu 1"] = lambda: peers.plain_splu(g, one[None], OHM)
        if badcrossbar:
            methods["badcrossbar 1"] = lambda: badcrossbar(g, one, OHM)
    if "batch" in cases:
        factored = circuit.factor(g)
        methods["splu factor"] = lambda: circuit.factor(g)
        methods["splu, tuned 64"] = lambda: circuit.currents(factored, some)
        methods["splu 64"] = lambda: peers.plain_splu(g, some, OHM)
        if badcrossbar and g.size <= 512**2:
            methods["badcrossbar 64"] = lambda: badcrossbar(g, some, OHM)
        for count in BATCHES:
            methods[f"batch {count}"] = lambda count=count: setup.network().currents(v[:count])
            methods[f"ideal {count}"] = lambda count=count: v[:count] @ g
    if "transconductance" in cases:
        methods["transconductance"] = lambda: setup.network().transconductance()
        methods["float32"] = lambda: setup.network().transconductance(np.float32)
        methods["splu all"] = lambda: peers.plain_splu(g, np.eye(len(g)), OHM)
        methods["splu, tuned all"] = lambda: circuit.currents(circuit.factor(g), np.eye(len(g)))
        methods["product"] = lambda: g @ g
    return methods


def vector_rows(setup: Setup, timed: dict[str, Timed]) -> list[Row]:
    """One array, one vector."""
    exact = setup.exact[:1]
    badcrossbar = (
        measured("badcrossbar", timed["badcrossbar 1"], exact) if "badcrossbar 1" in timed else absent("badcrossbar")
    )
    return [
        measured("rramsim", timed["vector"], exact),
        badcrossbar,
        measured("splu", timed["splu 1"], exact),
        measured("splu, tuned", timed["splu, tuned 1"], exact),
        *(measured(name, timed[name], exact) for name in timed if name.startswith("fixed point")),
    ]


def batch_rows(setup: Setup, timed: dict[str, Timed], count: int) -> list[Row]:
    """One array, many vectors; what would take too long is extrapolated from fewer vectors."""
    exact = setup.exact
    rows = [measured("rramsim", timed[f"batch {count}"], exact)]
    for name in ("badcrossbar", "splu"):
        if f"{name} 64" not in timed:
            rows.append(absent(name))
            continue
        one, some = timed[f"{name} 1"].seconds, timed[f"{name} 64"].seconds
        # The slope leaves out what a call costs whatever its vectors; noise must not make it nothing.
        slope = max((some - one) / 63, some / 64 / 4)
        error = relative_error(timed[f"{name} 64"].result, exact)
        rows.append(Row(name, some + (count - 64) * slope, error, note="from 1 and 64 vectors"))
    solved = timed["splu, tuned 64"]
    seconds = timed["splu factor"].seconds + count / 64 * solved.seconds
    rows.append(Row("splu, tuned", seconds, relative_error(solved.result, exact), note="from 64 vectors"))
    for name in [name for name in timed if name.startswith("fixed point")]:
        row = measured(name, timed[name], exact[:1])
        scaled = None if row.seconds is None else count * row.seconds
        rows.append(row._replace(seconds=scaled, calls=None, note=row.note or "from 1 vector"))
    return [*rows, Row("ideal product v @ g", timed[f"ideal {count}"].seconds, calls=timed[f"ideal {count}"].calls)]


def transconductance_rows(setup: Setup, timed: dict[str, Timed]) -> list[Row]:
    """The whole matrix of one array."""
    rows = []
    for name, key in (
        ("rramsim", "transconductance"),
        ("rramsim, float32", "float32"),
        ("splu", "splu all"),
        ("splu, tuned", "splu, tuned all"),
    ):
        result = timed[key]
        error = relative_error(result.result[setup.rows], setup.exact_rows)
        rows.append(Row(name, result.seconds, error, result.calls))
    return [*rows, Row("product of two such matrices", timed["product"].seconds, calls=timed["product"].calls)]


def linear_tables(sizes: Sequence[int], cases: Sequence[str], effort: Effort) -> list[tuple[str, str, int, list[Row]]]:
    """(case, what it is, cells on a side, rows) of all the cases of linear arrays."""
    tables = []
    for size in sizes:
        setup = Setup((size, size))
        progress(f"{size} x {size}: {', '.join(cases)}")
        timed = in_turns(linear_methods(setup, cases), rounds=effort.rounds, budget=effort.budget)
        if "vector" in cases:
            tables.append(("vector", "One array, one vector", size, vector_rows(setup, timed)))
        if "batch" in cases:
            for count in BATCHES:
                rows = batch_rows(setup, timed, count)
                tables.append((f"batch {count}", f"One array, {count} vectors", size, rows))
        if "transconductance" in cases:
            rows = transconductance_rows(setup, timed)
            tables.append(("transconductance", "Transconductance matrix of one array", size, rows))
    return tables


def nonlinear_tables(sizes: Sequence[int], effort: Effort) -> list[tuple[str, str, int, list[Row]]]:
    """Cells with i = g V0 sinh(v / V0), one vector."""
    tables = []
    setups = [Setup((size, size)) for size in sizes]
    for most, volt in ((0.2, 0.5), (0.2, 0.1), (0.4, 0.5), (0.4, 0.1)):
        for setup in setups:
            size, v = setup.shape[0], setup.v[0] * (most / 0.2)
            progress(f"{size} x {size}: sinh cells, V0 {volt} V, up to {most} V")
            timed = in_turns(nonlinear_methods(setup, v, volt), rounds=effort.rounds, budget=effort.budget)
            exact = peers.reference(setup.circuit, setup.g, v[None], peers.sinh(volt))
            title = f"Sinh cells, V0 = {volt} V, one vector of 0 to {most} V"
            tables.append(("nonlinear", title, size, [measured(name, timed[name], exact) for name in timed]))
    return tables


def nonlinear_methods(setup: Setup, v: np.ndarray, volt: float) -> dict[str, Callable[[], np.ndarray]]:
    """What is called for sinh cells, by name."""
    conduction, law = rs.SinhConductionSpec(sinh_volt=volt), peers.sinh(volt)

    def newton(reuse: bool) -> np.ndarray:
        word, bit = setup.circuit.newton(setup.g, v, law, tolerance=1e-9, reuse=reuse)
        return law(setup.g, word - bit)[0].sum(axis=0)

    return {
        "rramsim": lambda: setup.network(conduction=conduction).currents(v),
        "Newton + splu": lambda: newton(reuse=False),
        "Newton + splu, factors reused": lambda: newton(reuse=True),
    }


def oblong_table(effort: Effort) -> tuple[list[str], list[list[str]], float]:
    """Time per cell of arrays with as many cells but other shapes; and the worst error."""
    setups = [Setup(shape) for shape in ((96, 96), (18, 512), (512, 18))]
    methods: dict[str, Callable[[], np.ndarray]] = {}
    for setup in setups:
        methods[f"vector {setup.shape}"] = lambda s=setup: s.network().currents(s.v[0])
        methods[f"matrix {setup.shape}"] = lambda s=setup: s.network().transconductance()
    progress("oblong arrays")
    timed = in_turns(methods, rounds=effort.rounds, budget=effort.budget)
    rows, errors = [], []
    for setup in setups:
        vector, matrix = timed[f"vector {setup.shape}"], timed[f"matrix {setup.shape}"]
        square = [timed[f"{what} {setups[0].shape}"].seconds for what in ("vector", "matrix")]
        error = [
            relative_error(vector.result, setup.exact[:1]),
            relative_error(matrix.result[setup.rows], setup.exact_rows),
        ]
        errors += error
        cells = [f"{1e9 * t.seconds / setup.g.size:.1f}" for t in (vector, matrix)]
        ratios = [f"{t.seconds / s:.2f}" for t, s in zip((vector, matrix), square, strict=True)]
        shape = "{} x {}".format(*setup.shape)
        rows.append([shape, cells[0], ratios[0], cells[1], ratios[1], f"{max(error):.1e}"])
    headings = ["cells", "vector, ns per cell", "96 x 96 = 1", "matrix, ns per cell", "96 x 96 = 1"]
    return [*headings, "worst relative error"], rows, max(errors)

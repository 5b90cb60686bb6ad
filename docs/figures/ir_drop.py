"""Draw docs/images/ir-drop.png: how wrong approximate models of the wires are, and rramsim.

``python docs/figures/ir_drop.py`` takes about twenty seconds and always draws the same picture.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

import rramsim as rs

Array = NDArray[Any]

SIDE = 64
SEEDS = (0, 1, 2)
COUPLINGS = np.logspace(-4, 2, 25)
TARGET = Path(__file__).parents[1] / "images" / "ir-drop.png"

# Colours of Okabe and Ito; every line has a style and a mark of its own as well.
MODELS: dict[str, dict[str, Any]] = {
    "no IR drop": {"color": "#000000", "linestyle": "-", "marker": "o", "markersize": 6, "markerfacecolor": "white"},
    "lumped wires": {"color": "#d55e00", "linestyle": "--", "marker": "x", "markersize": 5},
    "bit lines only": {"color": "#0072b2", "linestyle": "-.", "marker": "s", "markersize": 4},
    "rramsim, iteration": {"color": "#cc79a7", "linestyle": ":", "marker": "^", "markersize": 4.5},
    "rramsim, matrix": {"color": "#009e73", "linestyle": "-", "marker": "D", "markersize": 3.5},
}


def exact_currents(g: Array, v: Array, ohm: float) -> Array:
    """Column currents (n, N) of the nodal equations for voltages (n, M): sparse LU, refined in extended precision.

    Every line begins or ends with one more segment, between the source and its first cell or below its last.
    """
    n_rows, n_columns = g.shape
    word = np.arange(g.size).reshape(g.shape)
    bit = word + g.size
    ground, source = 2 * g.size, 2 * g.size + 1 + np.arange(n_rows)
    words = np.concatenate([source[:, None], word], axis=1)
    bits = np.concatenate([bit, np.full((1, n_columns), ground)], axis=0)
    first = np.concatenate([words[:, :-1].ravel(), bits[:-1].ravel(), word.ravel()])
    last = np.concatenate([words[:, 1:].ravel(), bits[1:].ravel(), bit.ravel()])
    siemens = np.concatenate([np.full(2 * g.size, 1 / np.longdouble(ohm)), g.ravel()])
    every = ground + 1 + n_rows
    ends = np.concatenate([first, last, first, last]), np.concatenate([first, last, last, first])
    values = np.concatenate([siemens, siemens, -siemens, -siemens]).astype(np.float64)
    matrix = scipy.sparse.coo_matrix((values, ends), shape=(every, every)).tocsc()[:ground, :ground]
    lu = scipy.sparse.linalg.splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    currents = []
    for each in v:
        volt = np.zeros(every, dtype=np.longdouble)
        volt[source] = each
        for _ in range(4):
            flow = siemens * (volt[first] - volt[last])
            leaving = np.zeros(every, dtype=np.longdouble)
            np.add.at(leaving, first, flow)
            np.subtract.at(leaving, last, flow)
            volt[:ground] -= lu.solve(leaving[:ground].astype(np.float64))
        currents.append((g * (volt[word] - volt[bit])).sum(axis=0))
    return np.array(currents)


def model_currents(g: Array, v: Array, ohm: float) -> dict[str, Array]:
    """Column currents (n, N) by every model."""
    i, j = np.indices(g.shape)
    path_ohm = ohm * (j + 1) + ohm * (len(g) - i)
    wires = rs.WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm, end_segments=True)
    bit_lines = wires.but({"word_line_ohm": 0.0})
    return {
        "no IR drop": v @ g,
        "lumped wires": v @ (1 / (1 / g + path_ohm)),
        "bit lines only": rs.Network(g, bit_lines).currents(v),
        "rramsim, iteration": rs.Network(g, wires).currents(v),
        "rramsim, matrix": v @ rs.Network(g, wires).transconductance(),
    }


def mean_errors() -> dict[str, Array]:
    """Relative errors (L2 norm) of every model, (couplings, reads): the mean of some arrays."""
    errors = {name: np.zeros((len(COUPLINGS), 2)) for name in MODELS}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        g = rng.uniform(10e-6, 100e-6, (SIDE, SIDE))
        far = np.zeros(SIDE)
        far[0] = 0.2
        v = np.array([rng.uniform(0.0, 0.2, SIDE), far])
        for k, coupling in enumerate(COUPLINGS):
            ohm = coupling / (g.mean() * SIDE**2)
            exact = exact_currents(g, v, ohm)
            for name, currents in model_currents(g, v, ohm).items():
                off = np.linalg.norm((currents - exact).astype(np.float64), axis=1)
                errors[name][k] += off / np.linalg.norm(exact.astype(np.float64), axis=1) / len(SEEDS)
    return errors


def draw(errors: dict[str, Array]) -> Figure:
    """Two reads side by side; rramsim below a gap in the axis."""
    figure = Figure(figsize=(8.0, 5.2), layout="constrained")
    axes = figure.subplots(2, 2, sharex=True, sharey="row", height_ratios=(5, 3))
    for read, title in enumerate(
        ("all rows driven, random voltages", "one row driven: the farthest from the sense end")
    ):
        upper, lower = axes[:, read]
        for name, style in MODELS.items():
            for panel in (upper, lower):
                panel.loglog(COUPLINGS, errors[name][:, read], label=name, linewidth=1.5, markeredgewidth=1.2, **style)
        upper.set_title(title, fontsize="medium")
        upper.set_ylim(2e-5, 3e2)
        lower.set_ylim(1e-17, 3e-11)
        lower.set_xlim(COUPLINGS[0] / 1.3, COUPLINGS[-1] * 1.3)
        lower.set_yticks([1e-16, 1e-14, 1e-12])
        lower.set_xlabel(r"coupling  $x = \overline{g}\,(R_{\rm word} N^2 + R_{\rm bit} M^2)\,/\,2$")
        upper.axhline(0.01, color="#777777", linewidth=0.8)
        if read == 0:
            upper.annotate(
                "1 %",
                (COUPLINGS[-1], 0.01),
                (0, -4),
                va="top",
                ha="right",
                textcoords="offset points",
                color="#555555",
                fontsize="small",
            )
        gap(upper, lower)
    axes[0, 0].set_ylabel("relative error of the\ncolumn currents (L2 norm)")
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=5, columnspacing=1.6, frameon=False)
    return figure


def gap(upper: Axes, lower: Axes) -> None:
    """Mark the part of the axis that is left out."""
    mark = {"marker": [(-1, -0.5), (1, 0.5)], "markersize": 9, "linestyle": "none", "color": "k", "clip_on": False}
    upper.plot([0, 1], [0, 0], transform=upper.transAxes, **mark)
    lower.plot([0, 1], [1, 1], transform=lower.transAxes, **mark)
    upper.spines["bottom"].set_visible(False)
    lower.spines["top"].set_visible(False)
    upper.tick_params(bottom=False, which="both")
    for panel in (upper, lower):
        panel.grid(color="#dddddd", linewidth=0.6)
        panel.set_axisbelow(True)


def main() -> None:
    """Compute, print and draw."""
    errors = mean_errors()
    for name, error in errors.items():
        for read, what in enumerate(("all rows", "far row")):
            sys.stdout.write(f"{name:28}{what:9}" + " ".join(f"{each:8.1e}" for each in error[::4, read]) + "\n")
    TARGET.parent.mkdir(exist_ok=True)
    draw(errors).savefig(TARGET, dpi=150, metadata={"Software": None})
    sys.stdout.write(f"{TARGET}\n")


if __name__ == "__main__":
    main()

"""Draw docs/images/macro-errors.png: errors of a product by rramsim and by published formulas of other simulators.

``python docs/figures/macro_errors.py`` takes about a minute, prints all numbers, and always draws the same picture.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peer_formulas as peer
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

import rramsim as rs
from rramsim.cell.spread import GaussianSpreadSpec

Array = NDArray[Any]

TARGET = Path(__file__).parents[1] / "images" / "macro-errors.png"
G_MAX = 10e-6  # 100 kohm and 1.7 Mohm: the cell of DNN+NeuroSim V1.4
ON_OFF = 17.0
ADC_BITS = 8
SPREAD = 0.05
SEEDS = tuple(range(6))

RNG = np.random.default_rng(0)
WEIGHTS = RNG.standard_normal((512, 64))
INPUTS = RNG.integers(0, 256, (8, 512))
CODES = peer.crosssim_weights(WEIGHTS)

# Colours of Okabe and Ito; every line has a style and a mark of its own as well.
GREEN, BLUE, RED = "#009e73", "#0072b2", "#d55e00"
WHITE = {"markerfacecolor": "white", "markersize": 7}
Lines = dict[str, tuple[dict[str, Any], list[float]]]


def rramsim_product(
    *,
    weight_coding: str = "differential",
    rows: int = 128,
    on_off: float = ON_OFF,
    ohm: float = 0.0,
    adc: rs.AdcSpec | None = None,
    spread: float = 0.0,
    offset_from: str = "digital",
    seed: int = 0,
) -> Array:
    """Products (n, n_out) of a macro of tiles with 128 columns, in integers."""
    programming = GaussianSpreadSpec(spread_siemens=(0.0, spread * G_MAX)) if spread else GaussianSpreadSpec()
    spec = rs.MacroSpec(
        device=rs.DeviceSpec(g_min_siemens=G_MAX / on_off, g_max_siemens=G_MAX, programming=programming),
        wires=rs.WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm, end_segments=True),
        adc=adc,
        weight_coding=weight_coding,
        offset_from=offset_from,
        signed_inputs=False,
        tile_rows=rows,
    )
    ranges = spec.calibrate(CODES, INPUTS)._replace(inputs=255.0)
    return spec.program(CODES, rng=seed, ranges=ranges)(INPUTS)


def crosssim_product(*, ohm: float = 0.0, on_off: float = ON_OFF, **options: Any) -> Array:
    """Products likewise by the formulas of CrossSim."""
    return peer.crosssim_product(WEIGHTS, INPUTS, ohm=ohm * G_MAX, on_off=on_off, **options)


def neurosim_product(*, ohm: float = 0.0, on_off: float = ON_OFF, **options: Any) -> Array:
    """Products likewise by the formulas of NeuroSim, which holds half-integers."""
    return peer.neurosim_product(WEIGHTS, INPUTS, ohm=ohm * G_MAX, on_off=on_off, **options)


def error(product: Array) -> float:
    """Root mean square error over that of the product of the integers that rramsim and CrossSim hold."""
    return _relative(product, INPUTS @ CODES)


def neurosim_error(product: Array) -> float:
    """Root mean square error over that of the product of the integers that NeuroSim holds."""
    return _relative(product, INPUTS @ (peer.neurosim_weights(WEIGHTS) - 127.5))


def _relative(product: Array, expected: Array) -> float:
    return float(np.linalg.norm(product - expected) / np.linalg.norm(expected))


def calibrated(bits: int = ADC_BITS) -> rs.AdcSpec:
    """Converters whose range is found from the data."""
    return rs.SarAdcSpec(bits=bits, full_scale_from="calibrated")


def curve(values: tuple[float, ...], function: Callable[[Any], float]) -> list[float]:
    """The function at each value."""
    return [function(value) for value in values]


def by_bits(values: tuple[int, ...]) -> Lines:
    """Converters alone: ideal cells, no wires."""
    ideal: dict[str, Any] = {"on_off": np.inf}

    def peer_range(name: str) -> list[float]:
        return curve(values, lambda bits: error(crosssim_product(adc_bits=bits, adc_range=name, **ideal)))

    return {
        "rramsim, full": (
            {"color": GREEN, "marker": "D"},
            curve(values, lambda bits: error(rramsim_product(adc=rs.SarAdcSpec(bits=bits), on_off=np.inf))),
        ),
        "rramsim, calibrated": (
            {"color": GREEN, "marker": "D", "linestyle": "--"},
            curve(values, lambda bits: error(rramsim_product(adc=calibrated(bits), on_off=np.inf))),
        ),
        "CrossSim-like, max": ({"color": BLUE, "marker": "o", "linestyle": "none", **WHITE}, peer_range("max")),
        "CrossSim-like, granular": ({"color": BLUE, "marker": "s", "linestyle": ":"}, peer_range("granular")),
        "CrossSim-like, calibrated": ({"color": BLUE, "marker": "o", "linestyle": "--"}, peer_range("calibrated")),
        "NeuroSim-like": (
            {"color": RED, "marker": "x"},
            curve(values, lambda bits: neurosim_error(neurosim_product(adc_bits=bits, **ideal))),
        ),
    }


def by_rows(values: tuple[int, ...]) -> Lines:
    """Converters of 8 bits and wires of 1 ohm."""
    peer_adc: dict[str, Any] = {"adc_bits": ADC_BITS, "adc_range": "calibrated"}

    return {
        "rramsim": (
            {"color": GREEN, "marker": "D"},
            curve(values, lambda rows: error(rramsim_product(rows=rows, ohm=1.0, adc=calibrated()))),
        ),
        "CrossSim-like": (
            {"color": BLUE, "marker": "o", "linestyle": "--"},
            curve(values, lambda rows: error(crosssim_product(n_rows=rows, ohm=1.0, **peer_adc))),
        ),
        "CrossSim-like, no wires": (
            {"color": BLUE, "marker": "s", "linestyle": ":"},
            curve(values, lambda rows: error(crosssim_product(n_rows=rows, **peer_adc))),
        ),
        "NeuroSim-like": (
            {"color": RED, "marker": "x"},
            curve(values, lambda rows: neurosim_error(neurosim_product(n_rows=rows, adc_bits=ADC_BITS))),
        ),
    }


def by_ohm(values: tuple[float, ...]) -> Lines:
    """Wires alone."""
    return {
        "rramsim": ({"color": GREEN, "marker": "D"}, curve(values, lambda ohm: error(rramsim_product(ohm=ohm)))),
        "CrossSim-like": (
            {"color": BLUE, "marker": "o", "linestyle": "--"},
            curve(values, lambda ohm: error(crosssim_product(ohm=ohm))),
        ),
        "rramsim, offset": (
            {"color": GREEN, "marker": "^"},
            curve(values, lambda ohm: error(rramsim_product(ohm=ohm, weight_coding="offset"))),
        ),
        "CrossSim-like, offset": (
            {"color": BLUE, "marker": "v", "linestyle": "--"},
            curve(values, lambda ohm: error(crosssim_product(ohm=ohm, offset=True))),
        ),
        "NeuroSim-like, wires of its energy": (
            {"color": RED, "marker": "+", "linestyle": ":"},
            curve(values, lambda ohm: neurosim_error(neurosim_product(ohm=ohm))),
        ),
    }


def by_on_off(values: tuple[float, ...]) -> Lines:
    """Spread of the cells alone, a share of their conductance: the root mean square over some chips."""

    def chips(values_of: Callable[..., float], **options: Any) -> list[float]:
        def one(on_off: float) -> float:
            return float(np.sqrt(np.mean([values_of(on_off=on_off, seed=seed, **options) ** 2 for seed in SEEDS])))

        return curve(values, one)

    def ours(**options: Any) -> float:
        return error(rramsim_product(spread=SPREAD, **options))

    def crosssim(**options: Any) -> float:
        return error(crosssim_product(spread=SPREAD, **options))

    def neurosim(**options: Any) -> float:
        return neurosim_error(neurosim_product(variation=SPREAD, **options))

    return {
        "rramsim": ({"color": GREEN, "marker": "D"}, chips(ours)),
        "CrossSim-like": ({"color": BLUE, "marker": "o", "linestyle": "--", **WHITE}, chips(crosssim)),
        "rramsim, offset": ({"color": GREEN, "marker": "^"}, chips(ours, weight_coding="offset")),
        "CrossSim-like, offset": (
            {"color": BLUE, "marker": "v", "linestyle": "--", **WHITE},
            chips(crosssim, offset=True),
        ),
        "NeuroSim-like": ({"color": RED, "marker": "x"}, chips(neurosim)),
        "NeuroSim-like, drawn once": ({"color": RED, "marker": "+", "linestyle": ":"}, chips(neurosim, fresh=False)),
    }


PANELS: tuple[tuple[str, str, Callable[[Any], Lines], tuple[float, ...]], ...] = (
    ("converters alone", "bits of the converters", by_bits, (4, 5, 6, 7, 8, 9, 10)),
    ("8-bit converters and 1 ohm wires", "rows of a tile", by_rows, (32, 64, 128, 256, 512)),
    ("wires alone", "resistance of a segment, ohm", by_ohm, (0.1, 0.3, 1.0, 3.0, 10.0)),
    ("cells with a spread of 5 %", "on/off ratio", by_on_off, (3.0, 10.0, 30.0, 100.0, 1000.0)),
)


def draw(panels: list[Lines]) -> Figure:
    """Four panels."""
    figure = Figure(figsize=(9.0, 8.4), layout="constrained")
    for axes, (title, label, _, values), lines in zip(figure.subplots(2, 2).flat, PANELS, panels, strict=True):
        for name, (style, errors) in lines.items():
            axes.plot(values, errors, label=name, linewidth=1.5, markeredgewidth=1.2, **{"markersize": 4.5, **style})
        axes.set_yscale("log")
        if values[-1] > 10 * values[0]:
            axes.set_xscale("log")
            axes.set_xticks(values, [f"{value:g}" for value in values])
            axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel(label)
        axes.set_title(title, fontsize="medium")
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.set_axisbelow(True)
        axes.set_ylabel("relative error of the product")
        axes.legend(fontsize="x-small", frameon=False)
    return figure


def say(name: str, numbers: list[float]) -> None:
    """One line of numbers."""
    sys.stdout.write(f"{name:36}" + " ".join(f"{number:8.3g}" for number in numbers) + "\n")


def agreement() -> None:
    """Where all agree, and what of the differences is whose."""
    sys.stdout.write("\nno wires, ideal converters\n")
    say(
        "rramsim, differential and offset",
        [error(rramsim_product(weight_coding=each)) for each in ("differential", "offset")],
    )
    say("rramsim, lossless, 10 bits", [error(rramsim_product(adc=rs.SarAdcSpec(bits=10, full_scale_from="lossless")))])
    say("CrossSim-like, likewise", [error(crosssim_product(offset=each)) for each in (False, True)])
    say("NeuroSim-like", [neurosim_error(neurosim_product())])

    sys.stdout.write("\nfull range of rramsim and max of CrossSim, 8 bits, on/off ratios of infinity and 17\n")
    for on_off in (np.inf, ON_OFF):
        ours = rramsim_product(adc=rs.SarAdcSpec(bits=8), on_off=on_off)
        theirs = crosssim_product(adc_bits=8, on_off=on_off)
        say("difference of the products", [_relative(theirs, ours)])

    sys.stdout.write("\nCrossSim-like, wires of 1 ohm: error at a tolerance of 1e-9, and what one of 1e-3 changes\n")
    exact = crosssim_product(ohm=1.0, tolerance=1e-9)
    say("error, difference", [error(exact), _relative(crosssim_product(ohm=1.0), exact)])


def shares() -> None:
    """Single causes."""
    bits, signs = peer.input_bits(INPUTS), np.sign(CODES)
    sums = [
        [abs(bits[:, :, r] @ (signs * d)[r]).max() for r in peer.row_tiles(512, 128)] for d in peer.digits(abs(CODES))
    ]
    say("\nlargest sums of the slices, levels", [max(each) for each in sums])
    common = 128 * INPUTS.sum(axis=1)
    say("offset over product", [np.sqrt(np.mean(common**2.0) / np.mean((INPUTS @ CODES) ** 2.0))])
    unit = rramsim_product(ohm=1.0, weight_coding="offset", offset_from="unit column")
    say("offset, 1 ohm, unit column", [error(unit)])

    sys.stdout.write("\nno wires, no spread, 8-bit converters: on/off ratios of 3, 17, 1000\n")
    for signed in ("differential", "offset"):
        say(
            signed,
            [error(rramsim_product(on_off=r, weight_coding=signed, adc=calibrated())) for r in (3, ON_OFF, 1000)],
        )
    say("NeuroSim-like", [neurosim_error(neurosim_product(on_off=r, adc_bits=8)) for r in (3, ON_OFF, 1000)])
    middle = [neurosim_error(neurosim_product(on_off=r, adc_bits=8, middle=True)) for r in (3, ON_OFF, 1000)]
    say("NeuroSim-like, middles of levels", middle)

    among = neurosim_product(adc_bits=8)[:1]
    alone = peer.neurosim_product(WEIGHTS, INPUTS[:1], adc_bits=8, on_off=ON_OFF)
    say("\nNeuroSim-like, a vector alone", [_relative(alone, among)])
    drawn_anew = np.tensordot(4.0 ** np.arange(peer.INPUT_BITS), bits, 1).sum()
    say("spread drawn anew for every bit", [np.sqrt(drawn_anew / (INPUTS**2).sum())])

    sys.stdout.write(
        "\nFourier matrix with a spread of 25 %: mean error of a weight, and its deviation from chip to chip\n"
    )
    for offset in (False, True):
        chips = [peer.crosssim_fourier_error(np.random.default_rng(seed), offset=offset) for seed in range(100)]
        say("offset" if offset else "differential", [np.mean(chips), np.std(chips)])


def currents() -> None:
    """Column currents of one array, 128 x 128, 1 ohm, without and with models of the wires: relative errors."""
    rng = np.random.default_rng(0)
    sys.stdout.write("\ncolumn currents: cells of 10 to 100 kohm, 100 kohm to 1 Mohm\n")
    by_model: dict[str, list[float]] = {}
    for g_max in (100e-6, 10e-6):
        g, v = rng.uniform(0.1 * g_max, g_max, (128, 128)), rng.uniform(0.0, 1.0, (4, 128))
        wires = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=1.0, end_segments=True)
        exact = rs.Network(g, wires).currents(v)
        models = {
            "no wires": v @ g,
            "NeuroSim, lumped": v @ peer.neurosim_lumped(g, 1.0),
            "bit lines only": rs.Network(g, wires.but({"word_line_ohm": 0.0})).currents(v),
            "CrossSim, tolerance 1e-3": peer.crosssim_currents(g, v, 1.0),
        }
        for name, current in models.items():
            by_model.setdefault(name, []).append(_relative(current, exact))
    for name, errors in by_model.items():
        say(name, errors)


def main() -> None:
    """Compute, print and draw."""
    panels = []
    for title, label, function, values in PANELS:
        panels.append(function(values))
        say(f"\n{title}: {label}", list(values))
        for name, (_, errors) in panels[-1].items():
            say(name, errors)
    agreement()
    shares()
    currents()
    TARGET.parent.mkdir(exist_ok=True)
    draw(panels).savefig(TARGET, dpi=150, metadata={"Software": None})
    sys.stdout.write(f"{TARGET}\n")


if __name__ == "__main__":
    main()

"""Heat maps of one array: what its wires leave of every voltage and of every output current."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import CenteredNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from rramsim.arrays import FloatArray
from rramsim.units import prefix

from .style import BLUE, EMPTY, GREY, new_figure, ruled

__all__ = ["output_errors", "voltage_figure"]


_NEGLIGIBLE = 0.05
"""Below this share of the largest, a voltage or a current without wires is no measure of what the wires cost."""


def voltage_figure(
    word: ArrayLike,
    bit: ArrayLike,
    ideal_cell: ArrayLike,
    currents: ArrayLike,
    ideal_currents: ArrayLike,
    *,
    title: str,
    output: str = "bit line",
) -> Figure:
    """Voltages of the lines and of the cells, and the error of every output current, for one state of an array.

    Parameters
    ----------
    word, bit
        (n_rows, n_columns) voltages of the word- and bit-line side of each cell, volt.
    ideal_cell
        (n_rows, n_columns) voltages across the cells without wires, volt.
    currents, ideal_currents
        (n_outputs,) currents with and without wires, ampere.
    title
        Heads the figure.
    output
        What an output is called on its axis.
    """
    word_volt, bit_volt, ideal = (np.asarray(each, dtype=np.float64) for each in (word, bit, ideal_cell))
    n_rows, n_columns = word_volt.shape
    # Cells stay square until a picture would be a stripe.
    height = float(np.clip(4.2 * n_rows / n_columns, 2.6, 6.0))
    figure = new_figure(10.5, 2 * height + 1.2)
    figure.suptitle(title, fontsize="large")
    axes = figure.subplots(2, 2)
    _volts(axes[0, 0], word_volt, "word-line nodes")
    _volts(axes[0, 1], bit_volt, "bit-line nodes")
    _shares(axes[1, 0], _ratio(word_volt - bit_volt, ideal))
    _errors(axes[1, 1], np.asarray(currents, dtype=np.float64), np.asarray(ideal_currents, dtype=np.float64), output)
    return figure


def output_errors(currents: ArrayLike, ideal_currents: ArrayLike) -> tuple[FloatArray, str]:
    """Relative errors of output currents, and what they are relative to.

    Parameters
    ----------
    currents, ideal_currents
        Currents with and without wires, ampere, in one shape.

    Returns
    -------
    tuple of numpy.ndarray and str
        Errors, negative where current is lost, as shares of each current without wires; or of the largest one, where
        positive and negative contributions all but cancel in some.
    """
    with_wires, ideal = np.asarray(currents, dtype=np.float64), np.asarray(ideal_currents, dtype=np.float64)
    largest = np.abs(ideal).max(initial=0.0)
    if (np.abs(ideal) >= _NEGLIGIBLE * largest).all() and largest > 0:
        return np.asarray(with_wires / ideal - 1.0), "the current without wires"
    return np.asarray(
        np.copysign(1.0, ideal) * (with_wires - ideal) / (largest or 1.0)
    ), "the largest current without wires"


def _map(axes: Axes, values: FloatArray, title: str, label: str, **options: Any) -> None:
    axes.set_facecolor(EMPTY)
    n_rows, n_columns = values.shape
    stripe = not 0.5 <= n_columns / n_rows <= 2
    image = axes.imshow(values, interpolation="nearest", aspect="auto" if stripe else "equal", **options)
    axes.set_title(title, fontsize="medium")
    axes.set_xlabel("bit line (column)")
    axes.set_ylabel("word line (row)")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    low, high = image.get_clim()
    beyond = (bool(np.nanmin(values, initial=high) < low), bool(np.nanmax(values, initial=low) > high))
    extend = {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[beyond]
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.9, pad=0.02, label=label, extend=extend)
    bar.formatter.set_useOffset(False)  # type: ignore[attr-defined]


def _volts(axes: Axes, volt: FloatArray, title: str) -> None:
    scale, letter = prefix(volt)
    values = volt / scale
    nothing = 1e-9 * np.abs(volt).max(initial=0.0)  # the sign of a rounding error is none
    if (volt < -nothing).any() and (volt > nothing).any():
        _map(axes, values, title, f"voltage ({letter}V)", cmap="RdBu_r", norm=CenteredNorm())
    else:
        _map(axes, values, title, f"voltage ({letter}V)", cmap="viridis", **_range(values))


def _shares(axes: Axes, share: FloatArray) -> None:
    percent = 100 * share
    title, label = "voltage across the cells", "share of the voltage without wires (%)"
    if np.isnan(share).any():
        title += "; grey: hardly any without wires"
    if not np.isfinite(share).any():
        _map(axes, percent, title, label, cmap="magma", vmin=0, vmax=100)
        return
    # A few cells whose voltages nearly cancel would use up all the colours.
    usual = percent[np.isfinite(percent)]
    usual = np.sort(usual)[usual.size // 200 : usual.size - usual.size // 200]
    if usual[-1] > 100 + 1e-6:
        _map(axes, percent, title, label, cmap="RdBu_r", norm=CenteredNorm(100.0, float(np.abs(usual - 100).max())))
    else:
        _map(axes, percent, title, label, cmap="magma", **_range(usual))


def _range(values: FloatArray) -> dict[str, float]:
    """Limits of the colours; a map of one value, but for rounding, is not shown as a map of its rounding errors."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    span = max(abs(low), abs(high)) or 1.0
    if high - low > 1e-9 * span:
        return {"vmin": low, "vmax": high}
    return {"vmin": min(low, high - 0.1 * span), "vmax": high} if high > 0 else {"vmin": low, "vmax": low + 0.1 * span}


def _errors(axes: Axes, currents: FloatArray, ideal: FloatArray, output: str) -> None:
    error, measure = output_errors(currents, ideal)
    error = 100 * error
    place = np.arange(len(error))
    if len(error) <= 64:
        axes.bar(place, error, color=BLUE, width=0.8)
    else:
        axes.step(place, error, where="mid", color=BLUE, linewidth=1.2)
        axes.fill_between(place, error, step="mid", color=BLUE, alpha=0.25, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set_title("output currents", fontsize="medium")
    axes.set_xlabel(output)
    axes.set_ylabel(f"error (% of {measure})")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    axes.set_xlim(-0.6, len(error) - 0.4)
    ruled(axes, "y")


def _ratio(values: FloatArray, ideal: FloatArray) -> FloatArray:
    """The ratio of values to ideal ones, nan where the ideal one is too small to be a measure."""
    counts = np.abs(ideal) > _NEGLIGIBLE * np.abs(ideal).max(initial=0.0)
    return np.asarray(np.divide(values, ideal, out=np.full(values.shape, np.nan), where=counts))

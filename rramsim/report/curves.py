"""Curves of one device: spread, retention, current and read noise; and measured cells with what was fitted to them."""

from collections.abc import Sequence
from textwrap import fill
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rramsim.arrays import FloatArray
from rramsim.series import Series
from rramsim.units import duration, prefix

__all__ = ["DeviceCurves", "device_figure", "fit_figure"]


# Colours of Okabe and Ito; lines that share a panel differ in style, too.
_STATES = ("#0072b2", "#009e73", "#d55e00")
_COLOURS = ("#2b6cb0", "#d55e00", "#4a5568", "#009e73", "#cc79a7", "#e69f00")
_STYLES: tuple[str | tuple[int, tuple[float, ...]], ...] = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)))
_GREY, _PALE = "#4a5568", "#e2e8f0"
_TICKS = (1e-9, 1e-6, 1e-3, 1.0, 60.0, 3600.0, 86400.0, 30 * 86400.0, 365 * 86400.0, 3650 * 86400.0)


class DeviceCurves(Protocol):
    """Curves of a device that a figure draws, in SI, such as those of :class:`rramsim.cell.portrait.Portrait`."""

    @property
    def states(self) -> Sequence[float]:
        """Conductances of the states of ``retention`` and ``current``, siemens, at most three."""

    @property
    def spread(self) -> Sequence[Series]:
        """Standard deviations, siemens, against the conductance asked for, siemens."""

    @property
    def retention(self) -> Sequence[Series]:
        """Conductances, siemens, with their deviations, against the time after the write, second."""

    @property
    def current(self) -> Sequence[Series]:
        """Currents, ampere, against the voltage, volt."""

    @property
    def noise(self) -> Sequence[Series]:
        """Standard deviations of a read, siemens, against the conductance, siemens."""

    @property
    def levels(self) -> FloatArray | None:
        """Levels of the device, siemens; None where every conductance can be asked for."""

    @property
    def reads(self) -> bool:
        """Whether the deviations of ``retention`` are those of single reads, noise included."""


def device_figure(
    curves: DeviceCurves, *, title: str, source: str = "", absent: str = "not given by the source"
) -> Figure:
    """Four panels: spread, retention, current and read noise of a device.

    Parameters
    ----------
    curves
        What is drawn, in SI.
    title
        Heads the figure.
    source
        Stands below it.
    absent
        Stands in the frame of a panel that has no curves.
    """
    figure = Figure(figsize=(10.5, 7.4), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)  # type: ignore[union-attr, call-arg]
    figure.suptitle(title, fontsize="large", fontweight="bold")
    axes = figure.subplots(2, 2)
    _spread(axes[0, 0], curves)
    _retention(axes[0, 1], curves)
    _current(axes[1, 0], curves)
    _noise(axes[1, 1], curves)
    panels = (curves.spread, curves.retention, curves.current, curves.noise)
    for panel, series in zip(axes.flat, panels, strict=True):
        if not series:
            _leave_empty(panel, absent)
    if source:
        figure.supxlabel(fill(f"Source: {source}", 190, max_lines=4), fontsize=7, color=_GREY, ha="left", x=0.012)
    return figure


def _common_prefix(values: Sequence[FloatArray]) -> tuple[float, str]:
    """One prefix for all curves of a panel."""
    return prefix([float(np.abs(each).max(initial=0.0)) for each in values])


def _spread(axes: Axes, curves: DeviceCurves) -> None:
    axes.set_title("spread of written conductances", fontsize="medium")
    _by_conductance(axes, curves.spread, curves.levels, "standard deviation")


def _noise(axes: Axes, curves: DeviceCurves) -> None:
    axes.set_title("noise of one read", fontsize="medium")
    _by_conductance(axes, curves.noise, None, "noise")


def _by_conductance(axes: Axes, lines: Sequence[Series], levels: FloatArray | None, what: str) -> None:
    if not lines:
        return
    x_scale, x_prefix = _common_prefix([line.x for line in lines])
    y_scale, y_prefix = _common_prefix([line.y for line in lines])
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        style: dict[str, Any] = {"linestyle": _STYLES[number % len(_STYLES)]}
        if line.sampled:
            style = {"linestyle": "none", "marker": "o", "markersize": 4}
        axes.plot(line.x / x_scale, line.y / y_scale, label=line.label, color=colour, linewidth=1.8, **style)
    axes.set_xlabel(f"conductance ({x_prefix}S)")
    axes.set_ylabel(f"{what} ({y_prefix}S)")
    axes.margins(x=0.02, y=0.15)  # room for the legend
    axes.set_ylim(bottom=0)
    if levels is not None and levels.size <= 64:
        axes.plot(
            levels / x_scale,
            np.zeros(levels.size),
            transform=axes.get_xaxis_transform(),
            linestyle="none",
            marker=3,
            markersize=6,
            color=_GREY,
            clip_on=False,
            label="levels",
        )
    _tidy(axes)
    axes.legend(fontsize="small", framealpha=0.8, edgecolor="none")


def _retention(axes: Axes, curves: DeviceCurves) -> None:
    axes.set_title("conductance after the write", fontsize="medium")
    if not curves.retention:
        return
    scale, letter = _common_prefix([line.y for line in curves.retention])
    for line, colour in zip(curves.retention, _STATES, strict=False):
        axes.plot(line.x, line.y / scale, color=colour, linewidth=1.8, label=line.label)
        if line.deviation is not None:
            low, high = np.maximum(line.y - line.deviation, 0.0), line.y + line.deviation
            axes.fill_between(line.x, low / scale, high / scale, color=colour, alpha=0.18, linewidth=0)
    first, last = curves.retention[0].x[[0, -1]]
    axes.set_xscale("log")
    axes.set_xlim(first, last)
    ticks = [tick for tick in _TICKS if first * (1 - 1e-9) <= tick <= last * (1 + 1e-9)]
    axes.set_xticks(ticks if len(ticks) > 1 else [first, last])
    axes.set_xticklabels([duration(tick) for tick in (ticks if len(ticks) > 1 else [first, last])])
    axes.minorticks_off()
    axes.set_xlabel("time after the write; band: one standard deviation" + (" of a read" if curves.reads else ""))
    axes.set_ylabel(f"conductance ({letter}S)")
    axes.set_ylim(bottom=0)
    _tidy(axes)
    _name_ends(axes, curves.retention, scale)


def _current(axes: Axes, curves: DeviceCurves) -> None:
    axes.set_title("current; dashed: linear law" if curves.current else "current", fontsize="medium")
    if not curves.current:
        return
    scale, letter = _common_prefix([line.y for line in curves.current])
    for line, state, colour in zip(curves.current, curves.states, _STATES, strict=False):
        axes.plot(line.x, line.y / scale, color=colour, linewidth=1.8, label=line.label)
        axes.plot(line.x, state * line.x / scale, color=colour, linewidth=1.1, linestyle="--", label="_linear")
    both = min(line.x.min() for line in curves.current) < 0
    if both:
        axes.axhline(0, color=_GREY, linewidth=0.8)
        axes.axvline(0, color=_GREY, linewidth=0.8)
    axes.margins(x=0)
    axes.set_xlabel("voltage (V)")
    axes.set_ylabel(f"current ({letter}A)")
    _tidy(axes)
    _name_ends(axes, curves.current, scale)


def _name_ends(axes: Axes, lines: Sequence[Series], scale: float) -> None:
    """The names of the states at the right ends of their lines, apart from one another."""
    low, high = axes.get_ylim()
    at = -np.inf
    for line, colour in zip(lines, _STATES, strict=False):
        at = max(float((line.y[-1] / scale - low) / (high - low)), at + 0.065)
        axes.text(1.015, at, line.label, color=colour, va="center", fontsize="small", transform=axes.transAxes)


def _tidy(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=_PALE)
    axes.set_axisbelow(True)


def _leave_empty(axes: Axes, absent: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_facecolor("#f7fafc")
    axes.spines[:].set_color(_PALE)
    axes.text(0.5, 0.5, absent, transform=axes.transAxes, ha="center", va="center", color=_GREY, style="italic")


def fit_figure(spread: tuple[Series, Series], retention: tuple[Series, Series] | None = None, *, title: str) -> Figure:
    """Measured cells and what was fitted to them: spread against conductance, and conductance over time.

    Parameters
    ----------
    spread
        Standard deviations, siemens, against the conductance asked for, siemens: as measured, with their standard
        errors, and as fitted.
    retention
        Mean conductance, relative to the first reads, against the time after the write, second: as measured and as
        fitted; None: all reads are at one time.
    title
        Heads the figure.
    """
    figure = Figure(figsize=(10.5, 4.2) if retention else (6.0, 4.2), layout="constrained")
    figure.suptitle(title, fontsize="large", fontweight="bold")
    panels = figure.subplots(1, 2 if retention else 1, squeeze=False)[0]
    _fitted_spread(panels[0], *spread)
    if retention:
        _fitted_retention(panels[1], *retention)
    for panel in panels:
        panel.legend(frameon=False, fontsize="small")
        _tidy(panel)
    return figure


def _fitted_spread(axes: Axes, measured: Series, fitted: Series) -> None:
    x_scale, x_prefix = prefix(fitted.x)
    y_scale, y_prefix = prefix(np.concatenate([fitted.y, measured.y]))
    error = None if measured.deviation is None else measured.deviation / y_scale
    style: dict[str, Any] = {"fmt": "o", "markersize": 4, "capsize": 3, "color": _COLOURS[0]}
    axes.errorbar(measured.x / x_scale, measured.y / y_scale, yerr=error, label=measured.label, **style)
    axes.plot(fitted.x / x_scale, fitted.y / y_scale, color=_COLOURS[1], linewidth=1.8, label=fitted.label)
    axes.set_title("spread of written conductances", fontsize="medium")
    axes.set_xlabel(f"conductance ({x_prefix}S)")
    axes.set_ylabel(f"standard deviation ({y_prefix}S)")
    axes.set_ylim(bottom=0)


def _fitted_retention(axes: Axes, measured: Series, fitted: Series) -> None:
    axes.plot(measured.x, measured.y, "o", markersize=4, color=_COLOURS[0], label=measured.label)
    axes.plot(fitted.x, fitted.y, color=_COLOURS[1], linewidth=1.8, label=fitted.label)
    axes.set_xscale("log")
    axes.set_title("conductance over time", fontsize="medium")
    axes.set_xlabel("time after the write (s)")
    axes.set_ylabel("relative to the first read")
    # A mean that stays where it is is not shown as a map of its last digits.
    low, high = min(measured.y.min(), fitted.y.min()), max(measured.y.max(), fitted.y.max())
    if high - low < 0.1:
        axes.set_ylim((low + high) / 2 - 0.05, (low + high) / 2 + 0.05)

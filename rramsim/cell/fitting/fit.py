"""A device from measured cells: window, levels, spread, read noise and drift, and how well they fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.cell.curves import CurveSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.levels import LevelSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.retention import DriftSpec, RelaxationSpec

from .followed import LEAST_WRITES, Aging, Noise, Writes, aging, read_noise, writes_of
from .measured import Measured, MeasuredData, read_measured
from .tables import Estimate, Goodness, LevelTable, RetentionTable
from .variation import Variation, curve_spec

__all__ = ["DeviceFit", "Estimate", "Goodness", "LevelTable", "RetentionTable", "fit_device"]


@dataclass(frozen=True)
class DeviceFit:
    """A device that was fitted to measured cells.

    Parameters
    ----------
    device
        The device.
    levels
        Measured and fitted spread.
    retention
        Measured and fitted change in time; None: all reads are at one time.
    estimates
        Main figures with their standard errors.
    goodness
        How well the fit describes the data.
    warnings
        What to know before the device is used.
    origin
        Name of the file that the data came from.
    """

    device: DeviceSpec
    levels: LevelTable
    retention: RetentionTable | None
    estimates: tuple[Estimate, ...]
    goodness: tuple[Goodness, ...]
    warnings: tuple[str, ...]
    origin: str

    def report(self) -> list[str]:
        """What was fitted, and how well, as lines of text."""
        spec = self.device
        lines = [f"{spec.name}: fitted to {self.origin}", ""]
        levels = spec.levels.siemens
        steps = f"{len(levels)} levels" if levels else "any target"
        lines.append(f"window: {spec.g_min_siemens:.6g} to {spec.g_max_siemens:.6g} S, {steps}")
        lines.append(f"law of the spread: {_law(spec)}")
        lines.append("figures (curves in the middle of the window), with their standard errors:")
        for what, value, error, unit in self.estimates:
            known = f" +- {error:.2g}" if np.isfinite(error) else ""
            lines.append(f"  {what}: {value:.4g}{known} {unit}".rstrip())
        lines += ["", "how well it fits:"]
        lines += [f"  {what}: {_short(value)} ({meaning})" for what, value, meaning in self.goodness]
        if self.warnings:
            lines += ["", "to know before it is used:", *(f"  {warning}" for warning in self.warnings)]
        return lines

    def to_toml(self) -> str:
        """A card: ``rramsim.device("mine.toml")`` reads the same device from it, to the last bit."""
        import tomli_w

        comment = [f"# {_one_line(line)}".rstrip() for line in self.report()]
        return "\n".join([*comment, "", ""]) + tomli_w.dumps(_plain(self.device))


def _short(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.4g}"


def _law(spec: DeviceSpec) -> str:
    laws = {part.law for part in (spec.programming, spec.device_to_device) if not part.ideal}
    return " and ".join(sorted(laws)) or "none"


def _one_line(text: str) -> str:
    """Text that may stand in a comment."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _plain(spec: DeviceSpec) -> dict[str, Any]:
    """The fields that a device was given, in plain types."""
    return dict(spec.model_dump(exclude_unset=True, exclude_none=True))


def fit_device(data: MeasuredData, *, name: str = "measured", title: str = "", source: str = "") -> DeviceFit:
    """Fit a device to measured cells.

    Parameters
    ----------
    data
        Path of a CSV file with a header; a mapping (dict, data frame) or a structured array of columns; or a 2-D array
        with the columns in this order. ``target_siemens`` and ``read_siemens``: asked for and read, at least 0 S.
        ``time_second``: time of the read since the write, second. ``cycle``: which write of the cell. ``cell``: which
        cell.
        The first two are needed. Without ``cell`` each row is another cell; without ``cycle`` a cell is written once
        to each target. Rows of the same cell, cycle, target and time are reads of one write, one after another.
    name, title, source
        Name, title and source of the device; without a source, the name of the file.

    Returns
    -------
    DeviceFit
        The device, and how well it fits: see ``docs/own-data.md``.

    Raises
    ------
    SpecError
        For data that are not measured cells, or too few.
    """
    measured = read_measured(data)
    writes = writes_of(measured)
    noise = read_noise(measured, writes)
    aged = aging(measured, writes)
    spread = Variation(measured, writes, noise, aged)
    origin = Path(measured.origin).name
    heading: dict[str, Any] = {"title": title} if title else {}
    device = DeviceSpec(
        name=name,
        source=source or f"Measured: {origin}",
        note=_note(spread, noise, aged),
        **heading,
        **_window(writes),
        **_times(measured, writes, aged),
        **spread.specs(),
        **_aging_specs(aged, writes.reference),
        **_noise_specs(noise),
    )
    low, high = device.g_min_siemens, device.g_max_siemens
    middle = 0.5 * (low + high) / high
    return DeviceFit(
        device=device,
        levels=spread.table(),
        retention=_retention(measured, writes, aged),
        estimates=(*spread.estimates(middle), *_other_estimates(noise, aged, middle, high)),
        goodness=(*_counts(measured, writes), *spread.goodness(), *_aging_goodness(aged)),
        warnings=(*_data_warnings(measured, writes), *spread.warnings(), *_other_warnings(noise, aged)),
        origin=origin,
    )


def _window(writes: Writes) -> dict[str, Any]:
    """Window, range and levels of the device: the targets that were written."""
    low, high = float(writes.target.min()), writes.reference
    window: dict[str, Any] = {"g_min_siemens": low, "g_max_siemens": high, "fitted_from_to_siemens": (low, high)}
    if writes.listed:
        window["levels"] = LevelSpec(law="listed", siemens=tuple(np.unique(writes.target).tolist()))
    return window


def _times(measured: Measured, writes: Writes, aged: Aging) -> dict[str, Any]:
    """First and last time for which the device has figures; none where times are not given."""
    settled = float(writes.first.min())
    if settled <= 0:
        return {}
    # Without a law of time the figures hold for the reads that they were taken from.
    times = writes.first[writes.near] if aged.law is None or measured.time is None else measured.time
    return {"settled_second": settled, "fitted_until_second": float(times.max())}


def _noise_specs(noise: Noise) -> dict[str, Any]:
    """The part of the device for the noise of its reads, if there is any."""
    if noise.fitted is None:
        return {}
    if noise.relative:
        return {"read_noise": ReadNoiseSpec(relative_deviation=float(noise.fitted.coefficients[0]))}
    coefficients = tuple((noise.fitted.coefficients * noise.reference).tolist())
    # Cells stray out of the range of the fit, and a deviation is never negative.
    curve = CurveSpec(coefficients=coefficients, reference_siemens=noise.reference, at_least=0.0)
    return {"read_noise": ReadNoiseSpec(spread_siemens=curve)}


def _aging_specs(aged: Aging, top: float) -> dict[str, Any]:
    """The part of the device for what time does, if there is a law."""
    if aged.law == "power":
        return {
            "drift": DriftSpec(
                exponent=curve_spec(aged.mean, 1.0, top), exponent_spread=curve_spec(aged.spread, 1.0, top)
            )
        }
    if aged.law == "shift":
        shift, spread = curve_spec(aged.mean, top, top), curve_spec(aged.spread, top, top)
        return {"relaxation": RelaxationSpec(shift_siemens_per_ln=shift, spread_siemens_per_ln=spread)}
    return {}


def _other_estimates(noise: Noise, aged: Aging, x: float, top: float) -> list[Estimate]:
    estimates = []
    if noise.fitted is not None:
        scale = x * top if noise.relative else top
        value, error = float(noise.fitted.at(x)), float(noise.fitted.error(x))
        estimates.append(Estimate("read noise", value * scale, error * scale, "S"))
    name, scale, unit = ("drift exponent", 1.0, "") if aged.law == "power" else ("shift for each factor e", top, "S")
    for what, curve in ((name, aged.mean), (f"spread of the {name}", aged.spread)):
        if curve is not None:
            estimates.append(Estimate(what, float(curve.at(x)) * scale, float(curve.error(x)) * scale, unit))
    return estimates


def _counts(measured: Measured, writes: Writes) -> list[Goodness]:
    n_cells = np.unique(writes.cell).size
    return [
        Goodness("reads", measured.read.size, "rows of the table"),
        Goodness("writes", writes.target.size, "different cells, cycles and targets"),
        Goodness("cells", n_cells, "that were measured" if measured.cell is not None else "each row is another cell"),
        Goodness("levels", writes.x.size, "different targets" if writes.listed else "intervals of the targets"),
    ]


def _aging_goodness(aged: Aging) -> list[Goodness]:
    if aged.law is None:
        return []
    lines = "share of the variance in time that a line for each write explains"
    return [
        Goodness("writes followed in time", aged.followed, "3 times or more over a factor of 10 or more"),
        Goodness("R^2 of the drift, power law", aged.r_squared[0], f"{lines}, ln g over ln t"),
        Goodness("R^2 of the drift, shift with ln t", aged.r_squared[1], f"{lines}, g over ln t"),
        Goodness("log-likelihood, power law over shift", aged.likelihood[0] - aged.likelihood[1], "above 0: power law"),
    ]


def _data_warnings(measured: Measured, writes: Writes) -> list[str]:
    warnings = []
    if measured.unused:
        warnings.append(f"Columns without a meaning here were left out: {', '.join(measured.unused)}.")
    late = int(np.sum(~writes.near))
    if late:
        warnings.append(
            f"{late} writes were first read much later than others: they say nothing of the spread of writes."
        )
    return warnings


def _other_warnings(noise: Noise, aged: Aging) -> list[str]:
    warnings = []
    if noise.fitted is None:
        why = "repeated reads are alike" if noise.dof >= LEAST_WRITES else "too few writes were read twice at one time"
        warnings.append(f"No read noise: {why}. What there is counts as spread of programming.")
    if aged.law is None:
        warnings.append(f"No law of time: {aged.reason}. Later reads of the device are refused where times are given.")
    elif aged.law == "none":
        warnings.append("Nothing that time does was found, so the device has neither drift nor relaxation.")
    elif abs(aged.likelihood[0] - aged.likelihood[1]) < 2:
        warnings.append("Power law or shift with ln t: the data do not tell them apart; extrapolate neither.")
    return warnings


def _note(spread: Variation, noise: Noise, aged: Aging) -> str:
    absent = ["stuck cells", "wear", "I-V", "temperature", "write pulses", "telegraph noise"]
    if spread.cell_spread is None:
        absent.insert(0, "what of the spread stays with a cell")
    if noise.fitted is None:
        absent.insert(0, "read noise apart from programming")
    if aged.law is None:
        absent.insert(0, "retention")
    return f"Fitted to measured cells. The data do not give: {', '.join(absent)}."


def _retention(measured: Measured, writes: Writes, aged: Aging) -> RetentionTable | None:
    """Mean change in time, measured and fitted."""
    if measured.time is None or measured.time.min() == measured.time.max():
        return None
    conducts = (writes.g > 0)[writes.row]
    row, time = writes.row[conducts], measured.time[conducts]
    relative = measured.read[conducts] / writes.g[row]
    edges: Sequence[float] | FloatArray = np.unique(time)
    if len(edges) > 32:
        edges = np.geomspace(time.min(), time.max(), 25)
    place = np.clip(np.searchsorted(edges, time * (1 + 1e-12), side="right") - 1, 0, len(edges) - 1)
    place = np.unique(place, return_inverse=True)[1]
    count = np.bincount(place)
    elapsed = np.log(time / writes.first[row])
    x = writes.target[row] / writes.reference
    fitted = np.ones(time.size)
    if aged.mean is not None:
        moved = aged.mean.at(x) * elapsed
        if aged.law == "power":
            spread = 0.0 if aged.spread is None else aged.spread.at(x) * elapsed
            fitted = np.exp(0.5 * spread**2 - moved)  # the mean of a lognormal
        else:
            fitted = np.maximum(1 + moved * writes.reference / writes.g[row], 0.0)
    mean = [np.bincount(place, each) / count for each in (np.log(time), relative, fitted)]
    return RetentionTable(np.exp(mean[0]), mean[1], mean[2])

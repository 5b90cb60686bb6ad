"""A device as people see it: curves of its spread, retention, current and noise, and its figures in the middle."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rramsim.arrays import FloatArray
from rramsim.series import Series
from rramsim.units import duration, quantity

from .cells import ProgrammedCells
from .conduction import ConductionSpec
from .curves import value_at
from .device import DeviceSpec
from .faults import EnduranceSpec, StuckSpec

__all__ = ["MiddleFigures", "Portrait", "middle_figures", "portrait"]


_TEN_YEARS = 3650 * 86400.0
"""Last time, second, where the source gives none: what makers of memories promise."""
_INSTANTS = (1e-6, 1e-3, 1.0, 60.0, 3600.0, 86400.0, 30 * 86400.0, 365 * 86400.0, _TEN_YEARS)
"""Times that people name, second."""
_VOLT = 0.5
"""Highest voltage where the I-V law names none: that of a read."""
_CELLS = 20_000
"""Cells that are drawn for each state: their mean and their spread are known to a percent."""
_MOST_TICKS = 9


@dataclass(frozen=True)
class Portrait:
    """Curves of a device; a part that is not given has none.

    Parameters
    ----------
    states
        Conductances of the states whose retention and current are shown, siemens, ascending, at most three.
    spread
        Standard deviations, siemens, against the conductance asked for, siemens.
    retention
        For each state its mean conductance, siemens, with its deviation, against the time after the write, second.
    current
        For each state its current, ampere, against the voltage, volt.
    noise
        Standard deviations of a read, siemens, against the conductance, siemens.
    levels
        Levels of the device, siemens; None where every conductance can be asked for.
    reads
        Whether the deviations of ``retention`` are those of single reads, noise included.
    tick_siemens
        Conductances at which a table gives ``spread`` and ``noise``, siemens: some levels, or round numbers.
    tick_second
        Times at which a table gives ``retention``, second: those that people name, and the ends; empty where the
        source says nothing of time.
    """

    states: tuple[float, ...]
    spread: tuple[Series, ...]
    retention: tuple[Series, ...]
    current: tuple[Series, ...]
    noise: tuple[Series, ...]
    levels: FloatArray | None
    reads: bool
    tick_siemens: FloatArray
    tick_second: FloatArray


def portrait(device: DeviceSpec) -> Portrait:
    """Curves of a device, by its parts; those over time are of cells that are drawn with a fixed seed.

    Parameters
    ----------
    device
        The device. Stuck cells and wear are left out of the curves: they say nothing of the other cells.
    """
    device = _without_faults(device)
    states, ticks = _states(device), _conductance_ticks(device)
    first, last = _time_range(device)
    instants = _instants(first, last) if first < last else np.empty(0)
    times = _times(first, last, instants)
    g = np.union1d(np.linspace(*device.target_range_siemens, 201), ticks)
    return Portrait(
        states=tuple(states.tolist()),
        spread=tuple(_spread(device, g, ticks, times)),
        retention=tuple(_retention(device, states, times)),
        current=tuple(_current(device, states)),
        noise=tuple(_noise(device, g, times)),
        levels=device.level_siemens,
        reads=device.noisy,
        tick_siemens=ticks,
        tick_second=instants,
    )


class MiddleFigures(NamedTuple):
    """Figures of a device in the middle of the range of its targets.

    Parameters
    ----------
    g_siemens
        The conductance in the middle.
    spread_siemens
        Standard deviation of written conductances; where a write is verified, that of cells that are drawn.
    noise_siemens
        Standard deviation of one read at once, without random telegraph noise.
    """

    g_siemens: float
    spread_siemens: float
    noise_siemens: float


def middle_figures(device: DeviceSpec) -> MiddleFigures:
    """Spread and read noise of a device in the middle of the range of its targets."""
    g = np.array([sum(device.target_range_siemens) / 2])
    spread = _drawn(_without_faults(device), g).g.std() if device.write.verified else device.sigma(g)[0]
    noise = device.read_noise.deviation(g, g, device.g_max_siemens, device.settled_second)
    return MiddleFigures(float(g[0]), float(spread), float(noise[0]))


def _spread(device: DeviceSpec, g: FloatArray, ticks: FloatArray, times: FloatArray) -> list[Series]:
    """Spread of each error of a write, of both together, as a verification leaves it, and after relaxation."""
    top = device.g_max_siemens
    parts = {"programming": device.programming, "device to device": device.device_to_device}
    sigmas = {label: part.sigma(g, top) for label, part in parts.items()}
    spread = [Series(label, g, sigma) for label, sigma in sigmas.items() if sigma.any()]
    if len(spread) == len(parts):
        spread.append(Series("together", g, device.sigma(g)))
    if device.write.verified:
        spread.append(Series("as verified", ticks, _drawn(device, ticks).g.std(axis=1), sampled=True))
    if not device.relaxation.ideal:
        written, factor = device.sigma(g), device.temperature.acceleration
        last = float(times.max(initial=0.0)) * (1 + 1e-9)
        published = [second / factor for second in device.relaxation.times_second if second <= last * factor]
        for second in published or times[-1:].tolist():
            _, moved = device.relaxation.moments(g, top, second * factor, device.settled_second, written)
            spread.append(Series(f"after {duration(second)}", g, np.hypot(written, moved)))
    return spread


def _retention(device: DeviceSpec, states: FloatArray, times: FloatArray) -> list[Series]:
    """Mean conductance of drawn cells, and the standard deviation of their reads, over time."""
    if not times.size or (device.relaxation.ideal and device.drift.ideal):
        return []
    cells = _drawn(device, states)
    # Of each cell, (times, states, cells): the mean of a read and its standard deviation.
    mean, sigma = (np.array(each) for each in zip(*(cells.moments(float(t)) for t in times), strict=True))
    deviation = np.sqrt(mean.var(axis=-1) + (sigma**2).mean(axis=-1))
    return [Series(_siemens(state), times, mean.mean(axis=-1)[:, k], deviation[:, k]) for k, state in enumerate(states)]


def _current(device: DeviceSpec, states: FloatArray) -> list[Series]:
    """Current of each state at both polarities; at one where the other is its mirror image."""
    if "conduction" not in device.given_parts and device.ohmic:
        return []
    highest = device.conduction.most_volt or _VOLT
    v = np.linspace(-highest, highest, 101)
    if _is_odd(device.conduction, states, v):
        v = v[50:]
    return [Series(_siemens(state), v, device.conduction.current(state, v)) for state in states]


def _noise(device: DeviceSpec, g: FloatArray, times: FloatArray) -> list[Series]:
    """Read noise, at the first and the last time where it grows, and what a trap takes."""
    noise = []
    if not device.read_noise.ideal:
        grows = device.read_noise.integration_second and times.size
        for second in (device.settled_second, times[-1]) if grows else (device.settled_second,):
            label = f"read {duration(float(second))} after the write" if grows else "read noise"
            noise.append(Series(label, g, device.read_noise.deviation(g, g, device.g_max_siemens, float(second))))
    if not device.telegraph.ideal:
        amplitude = value_at(device.telegraph.amplitude, g, device.g_max_siemens)
        noise.append(Series("filled trap takes (median)", g, g * amplitude))
    return noise


def _without_faults(device: DeviceSpec) -> DeviceSpec:
    return device.but({"stuck": StuckSpec(), "endurance": EnduranceSpec()})


def _states(device: DeviceSpec) -> FloatArray:
    """A low, a middle and a high state, siemens."""
    low, high = device.target_range_siemens
    states = low + np.array([0.1, 0.5, 0.9]) * (high - low)
    levels = _levels(device)
    if levels.size:
        states = levels[np.unique(np.abs(levels - states[:, None]).argmin(axis=1))]
    return np.asarray(states)


def _levels(device: DeviceSpec) -> FloatArray:
    """Levels that can be asked for, siemens; none where any conductance can."""
    levels = device.level_siemens
    if levels is None:
        return np.empty(0)
    low, high = device.target_range_siemens
    return levels[(levels >= low * (1 - 1e-9)) & (levels <= high * (1 + 1e-9))]


def _conductance_ticks(device: DeviceSpec) -> FloatArray:
    """Some levels, or round conductances and the ends where there are none, siemens."""
    levels = _levels(device)
    if levels.size:
        places = np.linspace(0, levels.size - 1, min(_MOST_TICKS, levels.size)).round().astype(int)
        return np.asarray(levels[np.unique(places)])
    low, high = device.target_range_siemens
    unit = 10.0 ** np.floor(np.log10((high - low) / 4))
    step = unit * max(each for each in (1, 2, 2.5, 5) if each * unit <= (high - low) / 4)
    inner = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
    inner = inner[(inner > low + 0.3 * step) & (inner < high - 0.3 * step)]
    return np.concatenate([[low], inner, [high]])


def _time_range(device: DeviceSpec) -> tuple[float, float]:
    """First and last time after the write for which there are figures, second; no range where there is no time."""
    last = device.last_second if np.isfinite(device.last_second) else _TEN_YEARS
    factor = device.temperature.acceleration
    return device.settled_second / factor, last / factor


def _instants(first: float, last: float) -> FloatArray:
    """Times that people name within a range, and its ends, second."""
    return np.array([first, *(each for each in _INSTANTS if 1.5 * first < each < last / 1.5), last])


def _times(first: float, last: float, instants: FloatArray) -> FloatArray:
    """Times of a curve, second, evenly on a logarithmic axis, with the instants; none where there are no instants."""
    if not instants.size:
        return instants
    times = np.geomspace(first, last, 61)
    times[[0, -1]] = first, last
    return np.union1d(times, instants)


def _drawn(device: DeviceSpec, states: FloatArray) -> ProgrammedCells:
    """Cells written to each state: (states, cells)."""
    return device.program(np.repeat(states[:, None], _CELLS, axis=1), rng=0)


def _is_odd(conduction: ConductionSpec, states: FloatArray, v: FloatArray) -> bool:
    """Whether the currents at the voltages v, which lie evenly about 0, change their sign alone with the polarity."""
    i = conduction.current(states[:, None], v)
    return bool(np.allclose(i, -i[:, ::-1], rtol=1e-9, atol=0))


def _siemens(g: float) -> str:
    return quantity(float(g), "S")

"""The card of a device in words: each part with its equation and its figures."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rramsim.units import curve_text, duration, quantity

__all__ = ["card_text"]

Fields = Mapping[str, Any]


def card_text(
    card: Fields,
    given: Collection[str],
    zero: Mapping[str, set[str]],
    levels: Sequence[float] | None,
    conduction: Sequence[str] = (),
) -> dict[str, list[str]]:
    """What is to be said of each part of a device, line by line; nothing of a part that is not given.

    Parameters
    ----------
    card
        Fields of the device as plain values in SI, all parts spelled out, as a trace or JSON holds them.
    given
        Names of the parts that the card speaks of, be it to say that there is nothing.
    zero
        For each part the keys of its figures that are 0 at every conductance.
    levels
        Levels of the device, siemens; None where any conductance can be asked for.
    conduction
        What the I-V law says of itself; nothing where the card does not speak of it.
    """
    top, settled = card["g_max_siemens"], card["settled_second"]
    bound = "; a cell holds nothing outside" if card["bounded"] else ""
    text = {
        "technology": [card["technology"]] if card["technology"] else [],
        "window": [f"{_siemens(card['g_min_siemens'])} to {_siemens(top)}{bound}"],
        "levels": _levels(card["levels"]["law"], levels),
        "fitted range": _fitted(card),
        "programming": _spread(card["programming"], zero["programming"], top),
        "device to device": _spread(card["device_to_device"], zero["device_to_device"], top),
        "write": _write(card["write"], zero["write"], top),
        "settled": [f"{duration(settled)} after the write: the errors above are those of this time"],
        "relaxation": _relaxation(card["relaxation"], zero["relaxation"], settled, top),
        "drift": _drift(card["drift"], zero["drift"], settled, top),
        "read": [f"{duration(card['read_after_second'] or settled)} after the write, where no time is asked for"],
        "read noise": _noise(card["read_noise"], zero["read_noise"], top),
        "telegraph noise": _telegraph(card["telegraph"], zero["telegraph"], top),
        "stuck cells": _stuck(card) or (["none"] if "stuck" in given else []),
        "endurance": _endurance(card["endurance"]),
        "I-V": list(conduction),
        "temperature": _temperature(card["temperature"]) if "temperature" in given else [],
        "area": [f"{1e12 * card['area_square_metre']:.6g} um2 a cell"] if card["area_square_metre"] else [],
    }
    if not (text["relaxation"] or text["drift"] or "settled_second" in given):
        del text["settled"]
    if not card["read_after_second"]:
        del text["read"]
    return text


def _levels(law: str, levels: Sequence[float] | None) -> list[str]:
    if levels is None:
        return ["any conductance of the window"]
    spaced = {"linear": ", equidistant in g", "log": ", equidistant in ln g"}.get(law, "")
    if len(levels) <= 8:
        return [f"{len(levels)}{spaced}: {', '.join(map(_siemens, levels))}"]
    return [f"{len(levels)}{spaced}, from {_siemens(levels[0])} to {_siemens(levels[-1])}"]


def _fitted(card: Fields) -> list[str]:
    ranges = []
    if card["fitted_siemens"]:
        low, high = map(_siemens, card["fitted_siemens"])
        ranges.append(f"targets from {low} to {high}")
    if card["fitted_second"]:
        ranges.append(f"up to {duration(card['fitted_second'])} after the write")
    return [", ".join(ranges)] if ranges else []


def _spread(part: Fields, zero: set[str], top: float) -> list[str]:
    if zero >= {"spread_siemens", "spread_log", "shift_siemens"}:
        return []
    if part["law"] == "gaussian":
        text = ["Gaussian: g = m + sigma n, at least 0", f"sigma = {curve_text(part['spread_siemens'], 'S', top)}"]
    else:
        text = ["lognormal: g = m exp(s n)", f"s = {curve_text(part['spread_log'], '', top)}"]
    if "shift_siemens" not in zero:
        text.append(f"m = target + shift, shift = {curve_text(part['shift_siemens'], 'S', top)}")
    return text


def _write(part: Fields, zero: set[str], top: float) -> list[str]:
    text = []
    pulse = [quantity(value, unit) for value, unit in ((part["volt"], "V"), (part["second"], "s")) if value]
    if part["joule"] is not None:
        pulse.append(quantity(part["joule"], "J"))
    if pulse:
        text.append(f"pulse of {', '.join(pulse)}")
    if part["step"] != "anew":
        of = {"fixed": "of the window", "soft": "of what is left to the end of the window"}[part["step"]]
        text.append(f"a pulse moves the cell by {part['step_fraction']:g} {of}")
        spreads = {
            "step, relative, from pulse to pulse": part["step_spread"],
            "logarithm of the step from cell to cell": part["step_device_spread"],
            "top of the window from cell to cell, as a share of it": part["top_device_spread"],
            "bottom, likewise": part["bottom_device_spread"],
        }
        text += [f"sigma of the {what}: {value:g}" for what, value in spreads.items() if value]
    if "tolerance_siemens" not in zero:
        within = curve_text(part["tolerance_siemens"], "S", top)
        text.append(f"verified: accepted within {within} of the target, given up after {part['most_pulses']} pulses")
    return text


def _relaxation(part: Fields, zero: set[str], settled: float, top: float) -> list[str]:
    if part["second"]:
        text = [f"published for {len(part['second'])} times, in between linear in {part['between']}"]
        text.append("sigma is that of programming and relaxation together")
        for k, second in enumerate(part["second"]):
            text.append(f"after {duration(second)}: sigma = {curve_text(part['total_siemens'][k], 'S', top)}")
            if part["moved_siemens"]:
                text.append(f"after {duration(second)}: shift = {curve_text(part['moved_siemens'][k], 'S', top)}")
        return text
    since = f" times ln(t / {duration(settled)})"
    factors = {"shift_siemens_per_ln": since, "spread_siemens": "", "spread_siemens_per_ln": since}
    text = []
    for name, start in (("shift", "shift"), ("sigma", "spread")):
        keys = [key for key in factors if key.startswith(start) and key not in zero]
        if keys:
            text.append(f"{name} = {', plus '.join(curve_text(part[key], 'S', top) + factors[key] for key in keys)}")
    return ["g(t) = g + shift + sigma n, at least 0", *text] if text else []


def _drift(part: Fields, zero: set[str], settled: float, top: float) -> list[str]:
    if zero >= {"exponent", "exponent_spread"}:
        return []
    text = [f"g(t) = g (t / {duration(settled)})^-nu" + (", nu counts as positive" if part["falls_only"] else "")]
    text.append(f"mean of nu: {curve_text(part['exponent'], '', top)}")
    if "exponent_spread" not in zero:
        text.append(f"sigma of nu: {curve_text(part['exponent_spread'], '', top)}")
    return text


def _noise(part: Fields, zero: set[str], top: float) -> list[str]:
    terms = [] if "relative" in zero else [f"g times {curve_text(part['relative'], '', top)}"]
    if "spread_siemens" not in zero:
        terms.append(curve_text(part["spread_siemens"], "S", top))
    if not terms:
        return []
    text = [f"Gaussian, fresh at each read: sigma = {', and in squares '.join(terms)}"]
    second = part["integration_second"]
    if second:
        growth = f"sqrt(ln((t + {duration(second)}) / {duration(2 * second)}))"
        text.append(f"1/f noise: sigma grows as {growth}, t the time since the write")
    return text


def _telegraph(part: Fields, zero: set[str], top: float) -> list[str]:
    if zero & {"share", "occupancy", "amplitude"}:
        return []
    spread = f" (median; sigma of its logarithm {part['amplitude_log']:g})" if part["amplitude_log"] else ""
    return [
        f"{_percent(part['share'])} of the cells have a trap, filled {_percent(part['occupancy'])} of the time",
        f"share of g that a filled trap takes: {curve_text(part['amplitude'], '', top)}{spread}",
        f"correlation time {duration(part['correlation_second'])}",
    ]


def _stuck(card: Fields) -> list[str]:
    part = card["stuck"]
    low, high = part["frozen_siemens"] or (card["g_min_siemens"], card["g_max_siemens"])
    shares = {
        f"at {_siemens(card['g_max_siemens'])} (on)": part["on_fraction"],
        f"at {_siemens(card['g_min_siemens'])} (off)": part["off_fraction"],
        f"between {_siemens(low)} and {_siemens(high)}": part["frozen_fraction"],
        "in dead rows": part["dead_row_fraction"],
        "in dead columns": part["dead_column_fraction"],
    }
    kinds = [f"{_percent(share)} {where}" for where, share in shares.items() if share]
    clusters = [f"in clusters of about {part['cluster_cells']:g} cells"] if part["cluster_cells"] else []
    return [", ".join(kinds), *clusters] if kinds else []


def _endurance(part: Fields) -> list[str]:
    text = []
    if part["writes"] is not None:
        spread = f" (sigma of the logarithm {part['writes_log']:g})" if part["writes_log"] else ""
        text.append(
            f"half of the cells survive {part['writes']:,.0f} writes{spread}; worn out, a cell is stuck {part['fails']}"
        )
    if part["narrowing_per_decade"]:
        share = _percent(part["narrowing_per_decade"])
        text.append(f"the window loses {share} at its top for each factor of ten of writes")
    return text


def _temperature(part: Fields) -> list[str]:
    text = [f"{part['kelvin']:g} K; figures measured at {part['reference_kelvin']:g} K"]
    if part["conductance_per_kelvin"]:
        text.append(f"conductance: {100 * part['conductance_per_kelvin']:+.3g} % a kelvin")
    if part["activation_electronvolt"]:
        text.append(f"relaxation and drift: activation energy {part['activation_electronvolt']:g} eV")
    return text


def _siemens(value: float) -> str:
    return quantity(value, "S")


def _percent(share: float) -> str:
    return f"{100 * share:.4g} %"

"""Print what a crossbar softmax engine and digital ones cost by their parts and activity: the table of softmax.md.

``python docs/figures/softmax_cost.py``: vectors of 128 scores, STAR's 9-bit format, the components of isaac-32nm.
"""

import sys

import numpy as np

import rramsim as rs
from rramsim.activity import Activity, Inventory
from rramsim.cost.components import load_components

FORMAT = rs.FixedPointSpec(integer_bits=6, fraction_bits=3)
LENGTH = 128
WIRES = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=1.0, driver_ohm=1.0, sense_ohm=1.0)
CELL = rs.DeviceSpec(g_max_siemens=1e-6, g_min_siemens=1e-8)


def star(**changes: object) -> rs.SoftmaxSpec:
    """An engine of 1 Mohm cells with wires and 8-bit converters behind the sum."""
    adc = rs.SarAdcSpec(bits=8, full_scale_from="lossless")
    return rs.SoftmaxSpec(**{"format": FORMAT, "device": CELL, "wires": WIRES, "sum_adc": adc, **changes})


UNITS = {
    "crossbars, SUB in the array": star(),
    "crossbars, SUB in CMOS": star(subtract="cmos"),
    "crossbars, SUB in CMOS, adder": star(subtract="cmos", sum_by="adder"),
    "crossbars, NeuRRAM cells": star(device=rs.device("rram-wan-2022")),
    "float, 32-bit lanes": rs.FloatSoftmaxSpec(),
    "fixed point, the same words": rs.FixedPointSoftmaxSpec(format=FORMAT),
    "Softermax": rs.SoftermaxSpec(format=FORMAT),
    "I-BERT": rs.IBertSoftmaxSpec(format=FORMAT),
    "ReTransformer hybrid": rs.HybridSoftmaxSpec(format=FORMAT),
    "base-2 look-up table": rs.Base2LutSoftmaxSpec(format=FORMAT),
}


def joule(activity: Activity) -> dict[str, float]:
    """Energy by component; that of the cells is in joules already."""
    table = load_components()
    rows = [(name, count) for _, name, count in activity.rows()]
    return {name: count if name.endswith("_joule") else count * table[name].energy_joule for name, count in rows}


def square_metre(inventory: Inventory) -> dict[str, float]:
    """Area by component."""
    table = load_components()
    return {name: count * table[name].area_square_metre for _, name, count in inventory.rows()}


def largest(parts: dict[str, float]) -> str:
    """The three largest parts with their shares."""
    total = sum(parts.values())
    return ", ".join(f"{name} {parts[name] / total:.0%}" for name in sorted(parts, key=parts.__getitem__)[:-4:-1])


def main() -> None:
    """Program, run, add up, print."""
    table, scores = load_components(), np.random.default_rng(0).normal(0, 3, (200, LENGTH))
    rows = []
    for name, spec in UNITS.items():
        unit = spec.program(rng=1)
        energy, area = joule(unit.apply(scores, rng=2).activity), square_metre(unit.inventory)
        second = sum(n * table[part].time_second for part, n in unit.turns(LENGTH).items())
        rows.append(
            (name, sum(area.values()), sum(energy.values()) / len(scores), second, largest(area), largest(energy))
        )
    by_name = {row[0]: row for row in rows}
    for base in ("float, 32-bit lanes", "fixed point, the same words"):
        sys.stdout.write(f"against {base}\n")
        for name, area, energy, second, *_ in rows:
            other = by_name[base]
            ratios = f"{area / other[1]:8.2f} x area {energy / other[2]:8.2f} x energy {second / other[3]:8.2f} x time"
            sys.stdout.write(
                f"  {name:32s} {1e12 * area:9.0f} um2 {1e12 * energy:8.0f} pJ {1e9 * second:7.0f} ns {ratios}\n"
            )
    for name, *_, area_parts, energy_parts in rows:
        sys.stdout.write(f"{name}: area {area_parts}; energy {energy_parts}\n")


if __name__ == "__main__":
    main()

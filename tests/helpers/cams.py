"""CAMs for tests: devices and wires that make mistakes, and drives."""

import numpy as np

import rramsim as rs

__all__ = [
    "LEAKY",
    "NOISY",
    "POOR",
    "PRECHARGE",
    "REFERENCES",
    "ROUGH",
    "TURNED",
    "WIRES",
    "search_drive",
]

LEAKY = rs.DeviceSpec(g_min_siemens=2e-6, g_max_siemens=5e-5)
ROUGH = LEAKY.but({"programming": rs.LognormalSpreadSpec(spread_log=0.3), "stuck": rs.StuckSpec(on_fraction=0.02)})
POOR = rs.DeviceSpec(g_min_siemens=1e-5, g_max_siemens=4e-5, programming=rs.LognormalSpreadSpec(spread_log=0.3))
"""So leaky and so rough that no reference separates its signals."""
NOISY = rs.DeviceSpec(g_min_siemens=4.2e-5, g_max_siemens=5e-5, read_noise=rs.ReadNoiseSpec(relative_deviation=0.12))
"""States so near that they are often confused, and so far from 0 that no read is cut off there."""
WIRES = rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=35.0, driver_ohm=300.0, sense_ohm=150.0)
TURNED = {"word_line_ohm": 35.0, "bit_line_ohm": 20.0, "driver_ohm": 300.0, "sense_ohm": 150.0}
"""The wires as seen from the search lines, which are the inputs."""
REFERENCES = ["fixed", "global", "line"]
PRECHARGE = {"kind": "precharge", "precharge_volt": 0.4, "cell_farad": 2e-15, "mux_farad": 5e-15}
"""A precharged line: 17 fF with three bits."""


def search_drive(code, bits):
    """Volt per 1 V on each search line: of every pair, the line whose cells conduct where the stored bit differs."""
    drive = []
    for k in range(bits - 1, -1, -1):
        drive += [0.0, 1.0] if code >> k & 1 else [1.0, 0.0]
    return np.array(drive)

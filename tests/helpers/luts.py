"""Look-up tables for tests: devices and wires that make mistakes."""

import rramsim as rs

__all__ = ["LEAKY", "REFERENCES", "ROUGH", "WIRES"]

LEAKY = rs.DeviceSpec(g_min_siemens=5e-6, g_max_siemens=5e-5)
ROUGH = LEAKY.but({"programming": rs.LognormalSpreadSpec(spread_log=0.5)})
WIRES = rs.WireSpec(word_line_ohm=30.0, bit_line_ohm=45.0, driver_ohm=3000.0, sense_ohm=500.0)
REFERENCES = ["fixed", "global", "line"]

"""Converters for tests: errors of their circuits."""

__all__ = ["ADC_ERRORS"]

ADC_ERRORS = {
    "sar": {"capacitor_mismatch": 0.05},
    "flash": {"comparator_spread_lsb": 0.4},
    "ramp": {"dnl_spread_lsb": 0.1},
    "pipeline": {"comparator_spread_lsb": 0.5, "amplifier_gain": 300.0, "stage_gain_spread": 0.004},
}
"""Errors of each kind, different for each converter."""

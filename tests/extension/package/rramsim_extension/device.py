"""A cell with the laws of this package, and a macro with its converter."""

CELL = {
    "title": "A cell of another package",
    "source": "an example of a test, no published figure",
    "g_min_siemens": 1e-6,
    "g_max_siemens": 50e-6,
    "programming": {"law": "uniform", "half_width_siemens": 1e-6},
    "conduction": {"law": "tanh", "saturation_volt": 0.5},
}
MACRO = {
    "title": "A macro of another package",
    "source": "an example of a test, no published figure",
    "input_bits": 4,
    "weight_bits": 4,
    "cell_bits": 2,
    "tile_rows": 16,
    "tile_columns": 16,
    "adc": {"kind": "two-step", "bits": 6, "range_spread": 0.05},
}

"""A component table: ISAAC's, and the converter of this package."""

TABLE = {
    "preset": "isaac-32nm",
    "title": "ISAAC, and a converter of two steps",
    "custom": ["two_step_adc_6b"],
    "components": {
        "two_step_adc_6b": {
            "energy_joule": 1e-12,
            "time_second": 0.5e-9,
            "area_square_metre": 8e-10,
            "source": "an example of a test, no published figure",
        }
    },
}

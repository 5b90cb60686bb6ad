"""Curved cells: by their chord, and by Newton's method against networks solved by hand."""

import numpy as np
import pytest
from helpers.macros import FINE, HEAVY_WIRES, NORMAL, SCHEMES, integer_problem, many, noisy, programmed, trapped
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.array.network import Network
from rramsim.cell.device import DeviceSpec
from rramsim.engine.macro import solving

LAWS = [
    pytest.param({"law": "sinh", "sinh_volt": 0.15}, id="sinh"),
    pytest.param({"law": "cubic", "cubic_per_square_volt": 20.0}, id="cubic"),
    pytest.param({"law": "sinh", "sinh_volt": 0.15, "series_ohm": 3000.0}, id="series"),
]


def curved(conduction=LAWS[0].values[0], **parts):
    return DeviceSpec(
        g_min_siemens=2e-6,
        g_max_siemens=50e-6,
        programming={"spread_siemens": 1e-6},
        conduction=conduction,
        **parts,
    )


def solved_by_hand(macro, x):
    """Integers (n, n_out) of pairs of lines: every pulse of every vector through ``Network``, tile by tile.

    Pulses of many lengths are taken step by step of the driver: in step k the rows of level k and above are on.
    """
    spec, integers = macro.spec, np.zeros((len(x), macro.shape[-1]))
    top = spec.dac.largest_level
    weight = 2.0 ** np.cumsum((0, *spec.widths[:-1])) / spec.unit_siemens
    for row in macro.rows:
        for c, tile in enumerate(row.tiles):
            outputs = np.flatnonzero(row.tile_of_output == c)
            net = Network(tile.array.cells.g, spec.wires, conduction=spec.device.conduction)
            first = row.number * spec.tile_rows
            every = [(n, p) for n in range(len(x)) for p in spec.pulses(x[n, first : first + tile.n_rows])]
            for n, pulse in every:
                level = pulse.levels.astype(float)
                if spec.dac.coding == "amplitude":
                    ampere = net.currents(spec.read_volt * level / top)
                else:
                    steps = [np.sign(level) * (np.abs(level) >= k) * spec.read_volt for k in range(1, top + 1)]
                    ampere = np.mean([net.currents(v) for v in steps], axis=0)
                cells = ampere[: outputs.size * weight.size * 2].reshape(outputs.size, weight.size, 2)
                siemens = (cells[..., 0] - cells[..., 1]) / spec.read_volt * top
                integers[n, outputs] += pulse.weight * siemens @ weight
    return integers


class TestCurvedCells:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("scheme", SCHEMES)
    @pytest.mark.parametrize(
        "dac",
        [{}, {"bits": 2, "coding": "pulse width"}, {"bits": 2, "coding": "pulse width", "level_spread": 0.1}],
    )
    def test_without_wires_the_chord_is_exact(self, law, scheme, dac):
        """For pulses of one height."""
        _, w = integer_problem()
        x = np.random.default_rng(1).integers(-3, 4, (9, 12))
        fields = {"device": curved(law), "dac": dac, "tile_rows": 7, "tile_columns": 9, **SCHEMES[scheme]}
        chord, newton = (programmed(w, nonlinear=how, **fields)(x, rng=0) for how in ("chord", "newton"))
        assert_allclose(newton, chord, rtol=1e-5, atol=2e-5 * np.abs(chord).max())

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize(
        "dac",
        [
            {},
            {"bits": 2},
            {"bits": 2, "bipolar": True},
            {"bits": 2, "coding": "pulse width"},
            {"bits": 2, "coding": "pulse width", "bipolar": True},
        ],
    )
    def test_with_wires_by_hand(self, law, dac):
        _, w = integer_problem()
        x = np.random.default_rng(1).integers(-3, 4, (3, 12))
        fields = {"device": curved(law), "dac": dac, "wires": HEAVY_WIRES, "tile_rows": 7, "tile_columns": 12}
        macro = programmed(w, nonlinear="newton", **fields)
        expected, outputs = solved_by_hand(macro, x), macro(x, rng=0)
        assert_allclose(outputs, expected, rtol=1e-6, atol=1e-6 * np.abs(expected).max())
        chord = programmed(w, **fields)(x, rng=0)
        assert np.abs(chord - expected).max() > 0.01 * np.abs(expected).max()

    def test_pulses_of_many_heights(self):
        """One cell: level k of 3 conducts sinh(k v / 3 V0) / sinh(v / V0) instead of k / 3; the chord does not know."""
        device = DeviceSpec(conduction={"law": "sinh", "sinh_volt": 0.1})
        fields = {"device": device, "dac": {"bits": 2}, "signed_inputs": False, "input_bits": 2, "weight_bits": 3}
        x = np.arange(4.0)[:, None]
        chord, newton = (programmed([[3.0]], nonlinear=how, **fields)(x, rng=0)[:, 0] for how in ("chord", "newton"))
        at_read_volt = np.sinh(2.0) / 2.0
        assert_allclose(chord, 3 * at_read_volt * x[:, 0], rtol=1e-6)
        assert_allclose(newton, 3 * at_read_volt * 3 * np.sinh(2.0 * x[:, 0] / 3) / np.sinh(2.0), rtol=1e-6, atol=1e-9)

    def test_stacked_matrices(self):
        rng = np.random.default_rng(0)
        w, x = rng.integers(-7, 8, (2, 2, 5, 3)), rng.integers(-3, 4, (2, 2, 4, 5))
        fields = {"device": DeviceSpec(conduction=LAWS[0].values[0]), "wires": HEAVY_WIRES, "nonlinear": "newton"}
        outputs = programmed(w, **fields)(x, rng=0)
        for place in np.ndindex(2, 2):
            assert_allclose(outputs[place], programmed(w[place], **fields)(x[place], rng=0), rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("every", [None, 3])
    def test_noise_and_states_are_those_of_the_chord(self, every):
        """Read noise on top, and traps: by chance in the mean, or in given states; through the same converters."""
        x, w = integer_problem()
        device = curved(telegraph=trapped().telegraph.model_dump(), read_noise=NORMAL)
        adc = FINE.but({"gain_spread": 0.1, "columns": 1})
        fields = {"device": device, "telegraph_vectors": every, "dac": {"bits": 2, "coding": "pulse width"}, "adc": adc}
        chord, newton = (many(programmed(w, nonlinear=how, **fields), x, 12) for how in ("chord", "newton"))
        assert np.ptp(chord) > 1
        assert_allclose(newton, chord, atol=0.1)

    @pytest.mark.parametrize(
        "fields",
        [
            {},
            {"dac": {"bits": 2}, "weight_coding": "separate"},
            {"dac": {"bits": 2, "coding": "pulse width"}, "signed_inputs": False},
            {"weight_coding": "offset", "offset_from": "unit column"},
        ],
    )
    def test_the_cost_is_told_beforehand(self, monkeypatch, fields):
        """The number of solutions; where lengths differ, of vectors whose every pulse has all of them."""
        _, w = integer_problem()
        x = np.tile([0, 1, 2, 3], (5, 3))
        if fields.get("dac", {}).get("coding"):
            x += 4 * x[:, ::-1]
        macro = programmed(w, nonlinear="newton", device=curved(), tile_rows=7, tile_columns=9, input_bits=4, **fields)
        cost, solved = macro.newton_cost(5), []

        class Counted(Network):
            def currents(self, v):
                solved.append(len(v))
                return super().currents(v)

        monkeypatch.setattr(solving, "Network", Counted)
        macro(x, rng=0)
        assert cost.n_solutions == sum(solved) > 0
        assert cost.second > 0

    def test_ohmic_cells_need_no_newton(self):
        _, w = integer_problem()
        x = np.random.default_rng(1).integers(-3, 4, (9, 12))
        fields = {"device": noisy(), "wires": HEAVY_WIRES, "adc": FINE}
        assert_array_equal(programmed(w, nonlinear="newton", **fields)(x, rng=0), programmed(w, **fields)(x, rng=0))

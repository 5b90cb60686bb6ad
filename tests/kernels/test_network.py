"""The solver of one array against the oracle, vector by vector."""

import itertools

import numpy as np
import pytest
from helpers.solver import LINEAR, TOLERANCE, random_conductances, random_drives, random_lines, solve_all
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.cell.conduction import CubicConductionSpec, PolynomialConductionSpec, SinhConductionSpec
from rramsim.cell.curves import CurveSpec
from rramsim.kernels.circuit import LineTable
from rramsim.kernels.network import plane_shape, solve_array

SHAPES = [(1, 1), (1, 6), (6, 1), (4, 7), (9, 4)]
"""With fewer than four rows, with four, and with some left over: four lines are solved side by side."""
LAWS = {
    "sinh": SinhConductionSpec(sinh_volt=0.08),
    "cubic": CubicConductionSpec(cubic_per_square_volt=9.0),
    "gated sinh": SinhConductionSpec(sinh_volt=0.08, series_ohm=3e3),
    "gated cubic": CubicConductionSpec(cubic_per_square_volt=9.0, series_ohm=3e3),
    "polynomial": PolynomialConductionSpec(
        square_ampere_per_square_volt=CurveSpec(coefficients=(0.0, -6e-5, 4e-6), reference_siemens=1e-4),
        cube_ampere_per_cubic_volt=CurveSpec(coefficients=(0.0, 2e-4, -1e-6), reference_siemens=1e-4),
        most_volt=0.6,
    ),
}
LAWS["gated polynomial"] = LAWS["polynomial"].but({"series_ohm": 3e3})


def assert_solution(solution, g, v, lines, law=LINEAR, injected=None, rtol=TOLERANCE):
    """Every vector as the oracle has it: within ``rtol`` of the largest voltage and of the largest current."""
    assert solution.missed == 0
    assert (solution.checks[:, 1] <= TOLERANCE).all()
    assert_array_equal(solution.checks[:, 5], np.abs(v).max(axis=1))
    for k, drive in enumerate(v):
        expected = ORACLES[solve_array](g, drive, *lines, *(injected or (0.0, 0.0)), law)
        volt = max(np.abs(expected.word).max(), np.abs(drive).max())
        along, down = expected.word_line_currents, expected.bit_line_currents
        flow = max(np.nanmax(np.abs(x)) for x in (expected.currents, expected.cell_currents, along, down))
        assert_allclose(solution.currents[k], expected.currents, rtol=rtol, atol=rtol * flow)
        assert_allclose(solution.a[k], expected.word, rtol=rtol, atol=10 * rtol * volt)
        assert_allclose(solution.b[k], expected.bit, rtol=rtol, atol=10 * rtol * volt)
        assert_allclose(solution.through[k], expected.cell_currents, rtol=rtol, atol=10 * rtol * flow)
        slope = law.slope(g, expected.word - expected.bit)
        assert_allclose(solution.slope[k], slope, rtol=1e-9)
        if injected is None:
            for current, exact in ((solution.along[k], along), (solution.down[k], down)):
                # The oracle does not say how two ends share the current of a line without resistance.
                there = ~np.isnan(exact)
                assert_allclose(current[there], exact[there], rtol=0, atol=10 * rtol * flow)
            assert solution.checks[k, 2] <= 1e-12 * volt
            assert_allclose(solution.checks[k, 3:5], expected.power_watt, rtol=1e-10, atol=1e-13 * volt * flow)


class TestPlaneShape:
    @pytest.mark.parametrize("n_rows", [1, 2, 7, 63, 64, 65, 300])
    @pytest.mark.parametrize("n_columns", [1, 7, 8, 9, 127, 128, 129, 1000])
    def test_it_has_room_and_is_spread_over_the_cache(self, n_rows, n_columns):
        rows, row = plane_shape(n_rows, n_columns)
        assert n_rows + 1 <= rows <= n_rows + 65
        assert n_columns + 1 <= row <= n_columns + 17
        assert row // 8 % 2 == 1
        assert row % 8 == 0
        # In lines of 64 bytes, of which a page has 64.
        assert 5 <= rows * row // 8 % 64 <= 12


class TestLinearCells:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize(("far", "top"), list(itertools.product([False, True], repeat=2)))
    def test_second_terminals(self, shape, far, top):
        g, v, lines = random_conductances(shape), random_drives(2, shape[0]), random_lines(shape, far=far, top=top)
        assert_solution(solve_all(g, v, lines), g, v, lines)

    @pytest.mark.parametrize("present", list(itertools.product([0, 1], repeat=4)))
    @pytest.mark.parametrize("ends", [False, True])
    def test_zero_resistances(self, present, ends):
        for shape in ((1, 1), (5, 3)):
            g, v = random_conductances(shape), random_drives(1, shape[0])
            lines = random_lines(shape, present=present, far=ends, top=ends)
            assert_solution(solve_all(g, v, lines), g, v, lines)

    def test_second_terminals_without_resistance(self):
        """As conductances that stand for infinity."""
        g, v, lines = random_conductances((6, 5)), random_drives(2, 6), random_lines((6, 5))
        for name in ("far", "top"):
            both = lines._replace(**{name: np.full_like(getattr(lines, name), 1e33)})
            assert_solution(solve_all(g, v, both), g, v, both)

    def test_zero_resistances_of_some_lines(self):
        shape = (6, 5)
        g, v = random_conductances(shape), random_drives(2, 6)
        for seed in range(4):
            rng = np.random.default_rng(seed)
            lines = random_lines(shape, seed, far=bool(seed % 2), top=seed > 1)
            lines = LineTable(*(np.where(rng.random(len(x)) < 0.5, 0, x) for x in lines))
            assert_solution(solve_all(g, v, lines), g, v, lines)

    @pytest.mark.parametrize("which", [2, (slice(None), 1), ...])
    def test_open_lines(self, which):
        g, v, lines = random_conductances((5, 4), open_share=0.0), random_drives(1, 5), random_lines((5, 4))
        g[which] = 0.0
        assert_solution(solve_all(g, v, lines), g, v, lines)

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("top", [False, True])
    def test_floating_lines(self, shape, top):
        """A floating line takes the voltage that its cells give it; without cells, that of nothing."""
        g, v, lines = random_conductances(shape), random_drives(2, shape[0]), random_lines(shape, top=top)
        floating = (np.arange(shape[0]) % 3 == 0).astype(np.int64)
        v[:, floating == 1] = 0.0
        near = np.where(floating, 1e33, lines.near)
        lines = lines._replace(near=near, floating=floating)
        solution = solve_all(g, v, lines)
        assert_solution(solution, g, v, lines)
        assert not solution.along[:, floating == 1, 0].any()

    def test_injected_currents(self):
        shape = (6, 5)
        g, rng = random_conductances(shape, open_share=0.0), np.random.default_rng(0)
        injected = rng.uniform(-1e-5, 1e-5, (2, *shape))
        for ends in (False, True):
            lines = random_lines(shape, far=ends, top=ends)
            for v in (np.zeros((1, 6)), random_drives(2, 6)):
                assert_solution(solve_all(g, v, lines, injected=tuple(injected)), g, v, lines, injected=tuple(injected))

    def test_injected_currents_add_to_the_driven_ones(self):
        shape = (4, 5)
        g, v, lines = random_conductances(shape), random_drives(1, 4), random_lines(shape)
        injected = tuple(np.random.default_rng(0).uniform(-1e-5, 1e-5, (2, *shape)))
        driven, both = solve_all(g, v, lines), solve_all(g, v, lines, injected=injected)
        alone = solve_all(g, 0 * v, lines, injected=injected)
        assert_allclose(driven.currents + alone.currents, both.currents, rtol=0, atol=1e-15)
        assert_allclose(driven.a + alone.a, both.a, rtol=0, atol=1e-13)

    def test_nothing_driven_is_nothing_solved(self):
        g, lines = random_conductances((5, 6)), random_lines((5, 6), far=True, top=True)
        solution = solve_all(g, np.zeros((1, 5)), lines)
        assert not any(x.any() for x in (solution.checks, solution.currents, solution.a, solution.b))

    @pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-8])
    def test_the_tolerance_is_kept(self, tolerance):
        """The error in the energy norm, relative to that of the solution: sums of g v^2 in cells and wires."""
        shape = (12, 12)
        g, v, lines = random_conductances(shape, open_share=0.0), random_drives(3, 12), random_lines(shape)
        solution, exact = solve_all(g, v, lines, tolerance=tolerance), solve_all(g, v, lines)
        assert (solution.checks[:, 0] < exact.checks[:, 0]).all()
        for k in range(3):
            a, b = solution.a[k] - exact.a[k], solution.b[k] - exact.b[k]
            energy = [
                (g * (a - b) ** 2).sum()
                + (np.diff(a) ** 2 / lines.segment[:, None]).sum()
                + (a[:, 0] ** 2 / lines.near).sum()
                for a, b in ((a, b), (exact.a[k], exact.b[k]))
            ]
            assert np.sqrt(energy[0] / energy[1]) < tolerance


class TestNonlinearCells:
    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("shape", [(1, 1), (5, 3), (4, 6)])
    def test_against_newton(self, law, shape):
        law = LAWS[law]
        for ends in (False, True):
            g, v, lines = (
                random_conductances(shape),
                random_drives(2, shape[0]),
                random_lines(shape, far=ends, top=ends),
            )
            assert_solution(solve_all(g, v, lines, law), g, v, lines, law)

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("present", [(0, 0, 0, 0), (1, 0, 0, 1), (0, 1, 1, 0)])
    def test_zero_resistances(self, law, present):
        g, v, lines = random_conductances((3, 4)), random_drives(1, 3), random_lines((3, 4), present=present)
        assert_solution(solve_all(g, v, lines, LAWS[law]), g, v, lines, LAWS[law])

    @pytest.mark.parametrize("law", LAWS)
    def test_floating_lines(self, law):
        g, v, lines = random_conductances((5, 4), open_share=0.0), random_drives(1, 5), random_lines((5, 4))
        floating = np.array([0, 1, 0, 0, 1])
        v[:, floating == 1] = 0.0
        lines = lines._replace(near=np.where(floating, 1e33, lines.near), floating=floating)
        assert_solution(solve_all(g, v, lines, LAWS[law]), g, v, lines, LAWS[law])

    def test_voltages_far_beyond_the_knee(self):
        """The cells want 1e9 times the current that the drivers let through."""
        g, lines, law = random_conductances((3, 4), open_share=0.0), random_lines((3, 4)), LAWS["sinh"]
        v = np.array([[2.0, -1.5, 1.0]])
        assert_solution(solve_all(g, v, lines, law), g, v, lines, law, rtol=1e-11)

    def test_a_polynomial_need_not_rise_beyond_what_the_cells_can_see(self):
        """From 0.25 V on it falls, and its fit ends at 0.6 V; the sources span 0.24 V."""
        g, lines = random_conductances((5, 4), open_share=0.0), random_lines((5, 4))
        falling = LAWS["polynomial"].but(
            {
                "square_ampere_per_square_volt": CurveSpec(coefficients=(0.0, -2e-4), reference_siemens=1e-4),
                "cube_ampere_per_cubic_volt": 0.0,
            }
        )
        v = np.array([[0.24, 0.0, 0.2, 0.1, 0.24], [0.1, -0.1, 0.14, 0.0, 0.0]])
        assert_allclose(falling.rising_volt(g), 0.25)
        assert_solution(solve_all(g, v, lines, falling), g, v, lines, falling)

    def test_a_polynomial_that_hardly_rises(self):
        """Cells that are flat at the voltage of the source, behind little and much resistance."""
        flat = LAWS["polynomial"].but(
            {
                "square_ampere_per_square_volt": CurveSpec(coefficients=(0.0, -2e-4), reference_siemens=1e-4),
                "cube_ampere_per_cubic_volt": CurveSpec(coefficients=(0.0, 1.3333346666667e-4), reference_siemens=1e-4),
                "most_volt": 1.5,
            }
        )
        g = random_conductances((4, 5), open_share=0.0)
        assert (flat.slope(g, 0.5) < 2e-6 * g).all()
        for scale in (0.01, 1.0, 30.0):
            lines = random_lines((4, 5))
            lines = LineTable(*(scale * x for x in lines[:-1]), lines.floating)
            for v in np.array([[[0.5, 0.5, 0.5, 0.5]], [[0.7, -0.5, 0.6, 0.0]]]):
                assert_solution(solve_all(g, v, lines, flat), g, v, lines, flat, rtol=1e-11)


class TestManyVectors:
    @pytest.mark.parametrize("law", ["linear", *LAWS])
    def test_each_gets_the_bits_that_it_gets_alone(self, law):
        law = LAWS.get(law, LINEAR)
        g, lines = random_conductances((5, 6)), random_lines((5, 6), far=True)
        v = random_drives(4, 5) * np.array([[1.0], [1e-3], [0.0], [2.0]])
        together = solve_all(g, v, lines, law)
        for k in range(len(v)):
            for one, all_of_them in zip(solve_all(g, v[k : k + 1], lines, law)[1:], together[1:], strict=True):
                assert_array_equal(one[0], all_of_them[k])

    @pytest.mark.parametrize("law", ["linear", "sinh", "polynomial"])
    def test_the_bits_do_not_depend_on_what_is_wanted(self, law):
        law = LAWS.get(law, LINEAR)
        g, v, lines = random_conductances((5, 6)), random_drives(3, 5), random_lines((5, 6), top=True)
        whole, lean = solve_all(g, v, lines, law), solve_all(g, v, lines, law, inside=False)
        assert_array_equal(lean.currents, whole.currents)
        assert_array_equal(lean.checks[:, :2], whole.checks[:, :2])
        # Of the voltage law, only the lines that were solved by iteration are looked at.
        assert (lean.checks[:, 2] <= whole.checks[:, 2]).all()
        assert not lean.checks[:, 3:5].any()
        assert not any(x.size for x in lean[3:])

    def test_no_vector(self):
        solution = solve_all(random_conductances((3, 4)), np.empty((0, 3)), random_lines((3, 4)))
        assert solution.currents.shape == (0, 4)
        assert solution.missed == 0


class TestFailure:
    @pytest.mark.parametrize("law", ["linear", "sinh", "gated cubic"])
    def test_too_few_iterations(self, law):
        law = LAWS.get(law, LINEAR)
        g, v, lines = random_conductances((12, 12), open_share=0.0), random_drives(1, 12), random_lines((12, 12))
        lines = LineTable(*(50 * x for x in lines))
        solution = solve_all(g, v, lines, law)
        needed = int(solution.checks[0, 0])
        assert needed > 5
        just_enough = solve_all(g, v, lines, law, max_iterations=needed)
        assert just_enough.missed == 0
        assert_allclose(just_enough.currents, solution.currents, rtol=1e-11)
        for too_few in (0, 1, 2, 3):
            failed = solve_all(g, v, lines, law, max_iterations=too_few)
            assert failed.missed == 1
            assert failed.checks[0, 1] > TOLERANCE or too_few == 0

    def test_every_vector_that_misses_is_counted(self):
        """A vector of zeros is solved without an iteration."""
        g, lines = random_conductances((12, 12), open_share=0.0), random_lines((12, 12))
        v = random_drives(3, 12)
        v[1] = 0.0
        solution = solve_all(g, v, lines, max_iterations=1)
        assert solution.missed == 2
        assert_array_equal(solution.checks[:, 1] > TOLERANCE, [True, False, True])

    def test_a_violation_of_the_voltage_law_is_a_miss(self):
        """A violation below rounding, here, which no solution is free of."""
        g, v, lines = random_conductances((12, 12), open_share=0.0), random_drives(3, 12), random_lines((12, 12))
        assert solve_all(g, v, lines, most_residual=1e-20).missed == 3

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    @pytest.mark.parametrize("law", ["sinh", "gated sinh"])
    def test_what_is_no_number_is_a_miss(self, law):
        """The current at 80 V, behind a sinh of 80 mV, is infinite."""
        g, lines = random_conductances((3, 4), open_share=0.0), random_lines((3, 4))
        solution = solve_all(g, np.full((1, 3), 80.0), lines, LAWS[law])
        assert solution.missed == 1 or np.isfinite(solution.currents).all()

"""The solver of one array against the oracle, vector by vector, and its own check of Kirchhoff's laws."""

import itertools
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.cell.conduction import ConductionSpec
from rramsim.cell.curves import CurveSpec
from rramsim.kernels.network import PLANES, plane_shape, solve_array, verify

SHAPES = [(1, 1), (1, 6), (6, 1), (4, 7), (9, 4)]
"""With fewer than four rows, with four, and with some left over: four lines are solved side by side."""
LAWS = {
    "sinh": ConductionSpec(law="sinh", sinh_volt=0.08),
    "cubic": ConductionSpec(law="cubic", cubic_per_square_volt=9.0),
    "gated sinh": ConductionSpec(law="sinh", sinh_volt=0.08, series_ohm=3e3),
    "gated cubic": ConductionSpec(law="cubic", cubic_per_square_volt=9.0, series_ohm=3e3),
    "polynomial": ConductionSpec(
        law="polynomial",
        square_ampere_per_square_volt=CurveSpec(coefficients=(0.0, -6e-5, 4e-6), reference_siemens=1e-4),
        cube_ampere_per_cubic_volt=CurveSpec(coefficients=(0.0, 2e-4, -1e-6), reference_siemens=1e-4),
        most_volt=0.6,
    ),
}
LAWS["gated polynomial"] = LAWS["polynomial"].but({"series_ohm": 3e3})
LINEAR = ConductionSpec()
TOLERANCE = 1e-12
RESIDUAL = 1e-9
NONE = np.empty((0, 0))


class Lines(NamedTuple):
    """The lines of an array in the order in which kernels take them."""

    near: np.ndarray
    segment: np.ndarray
    far: np.ndarray
    bottom: np.ndarray
    out_segment: np.ndarray
    top: np.ndarray
    floating: np.ndarray


class Solved(NamedTuple):
    """What the kernel returns and writes."""

    missed: int
    currents: np.ndarray
    checks: np.ndarray
    a: np.ndarray
    b: np.ndarray
    through: np.ndarray
    slope: np.ndarray
    along: np.ndarray
    down: np.ndarray


def random_cells(shape, seed=0, open_share=0.2):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < open_share, 0.0, 10.0 ** rng.uniform(-6, -3, shape))


def random_drive(n, n_rows, seed=1):
    return np.random.default_rng(seed).uniform(-0.3, 0.3, (n, n_rows))


def random_lines(shape, seed=2, present=(1, 1, 1, 1), far=False, top=False):
    """A resistance for every line; ``present`` tells which kinds are there at all."""
    rng = np.random.default_rng(seed)
    near, segment, bottom, out_segment = (
        there * most * rng.uniform(0.3, 1.0, n)
        for n, there, most in zip((shape[0],) * 2 + (shape[1],) * 2, present, (120.0, 5.0, 60.0, 3.0), strict=True)
    )
    # Second terminals behind resistances as different as can be, some without.
    siemens = [1e-2 * rng.uniform(0.3, 1.0, n) * (rng.random(n) < 0.8) for n in shape]
    far, top = (s * there for s, there in zip(siemens, (far, top), strict=True))
    return Lines(near, segment, far, bottom, out_segment, top, np.zeros(shape[0], dtype=np.int64))


def solved(
    g,
    v,
    lines,
    law=LINEAR,
    sources=(NONE, NONE),
    *,
    tolerance=TOLERANCE,
    max_iterations=1000,
    most_residual=RESIDUAL,
    kept=True,
):
    """Solve for the vectors ``v`` (n, n_rows) in arrays full of nan: what they held before must not matter."""
    n, (n_rows, n_columns) = len(v), g.shape
    sizes = [(n_rows, n_columns)] * 4 + [(n_rows, n_columns + 1), (n_rows + 1, n_columns)]
    outputs = [np.full((n if kept else 0, *size), np.nan) for size in sizes]
    out = (np.full((n, n_columns), np.nan), np.full((n, 6), np.nan), *outputs)
    planes = np.full((PLANES, *plane_shape(n_rows, n_columns)), np.nan)
    curves = law.coefficients(g) if law.law == "polynomial" else (NONE, NONE)
    cells = (g, law.kind, law.curvature, law.series_ohm, *curves, v)
    missed = solve_array(*cells, *lines, *sources, tolerance, max_iterations, most_residual, planes, *out)
    return Solved(missed, *out)


def assert_solution(found, g, v, lines, law=LINEAR, sources=None, rtol=TOLERANCE):
    """Every vector as the oracle has it: within ``rtol`` of the largest voltage and of the largest current."""
    assert found.missed == 0
    assert (found.checks[:, 1] <= TOLERANCE).all()
    assert_array_equal(found.checks[:, 5], np.abs(v).max(axis=1))
    for k, drive in enumerate(v):
        expected = ORACLES[solve_array](g, drive, *lines, *(sources or (0.0, 0.0)), law)
        volt = max(np.abs(expected.word).max(), np.abs(drive).max())
        along, down = expected.word_line_currents, expected.bit_line_currents
        flow = max(np.nanmax(np.abs(x)) for x in (expected.currents, expected.cell_currents, along, down))
        assert_allclose(found.currents[k], expected.currents, rtol=rtol, atol=rtol * flow)
        assert_allclose(found.a[k], expected.word, rtol=rtol, atol=10 * rtol * volt)
        assert_allclose(found.b[k], expected.bit, rtol=rtol, atol=10 * rtol * volt)
        assert_allclose(found.through[k], expected.cell_currents, rtol=rtol, atol=10 * rtol * flow)
        slope = law.slope(g, expected.word - expected.bit)
        assert_allclose(found.slope[k], slope, rtol=1e-9)
        if sources is None:
            for current, known in ((found.along[k], along), (found.down[k], down)):
                # The oracle does not say how two ends share the current of a line without resistance.
                there = ~np.isnan(known)
                assert_allclose(current[there], known[there], rtol=0, atol=10 * rtol * flow)
            assert found.checks[k, 2] <= 1e-12 * volt
            assert_allclose(found.checks[k, 3:5], expected.power_watt, rtol=1e-10, atol=1e-13 * volt * flow)


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
        g, v, lines = random_cells(shape), random_drive(2, shape[0]), random_lines(shape, far=far, top=top)
        assert_solution(solved(g, v, lines), g, v, lines)

    @pytest.mark.parametrize("present", list(itertools.product([0, 1], repeat=4)))
    @pytest.mark.parametrize("ends", [False, True])
    def test_zero_resistances(self, present, ends):
        for shape in ((1, 1), (5, 3)):
            g, v = random_cells(shape), random_drive(1, shape[0])
            lines = random_lines(shape, present=present, far=ends, top=ends)
            assert_solution(solved(g, v, lines), g, v, lines)

    def test_second_terminals_without_resistance(self):
        """As conductances that stand for infinity."""
        g, v, lines = random_cells((6, 5)), random_drive(2, 6), random_lines((6, 5))
        for name in ("far", "top"):
            both = lines._replace(**{name: np.full_like(getattr(lines, name), 1e33)})
            assert_solution(solved(g, v, both), g, v, both)

    def test_zero_resistances_of_some_lines(self):
        shape = (6, 5)
        g, v = random_cells(shape), random_drive(2, 6)
        for seed in range(4):
            rng = np.random.default_rng(seed)
            lines = random_lines(shape, seed, far=bool(seed % 2), top=seed > 1)
            lines = Lines(*(np.where(rng.random(len(x)) < 0.5, 0, x) for x in lines))
            assert_solution(solved(g, v, lines), g, v, lines)

    @pytest.mark.parametrize("which", [2, (slice(None), 1), ...])
    def test_open_lines(self, which):
        g, v, lines = random_cells((5, 4), open_share=0.0), random_drive(1, 5), random_lines((5, 4))
        g[which] = 0.0
        assert_solution(solved(g, v, lines), g, v, lines)

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("top", [False, True])
    def test_floating_lines(self, shape, top):
        """A floating line takes the voltage that its cells give it; without cells, that of nothing."""
        g, v, lines = random_cells(shape), random_drive(2, shape[0]), random_lines(shape, top=top)
        floating = (np.arange(shape[0]) % 3 == 0).astype(np.int64)
        v[:, floating == 1] = 0.0
        near = np.where(floating, 1e33, lines.near)
        lines = lines._replace(near=near, floating=floating)
        found = solved(g, v, lines)
        assert_solution(found, g, v, lines)
        assert not found.along[:, floating == 1, 0].any()

    def test_injected_currents(self):
        shape = (6, 5)
        g, rng = random_cells(shape, open_share=0.0), np.random.default_rng(0)
        sources = rng.uniform(-1e-5, 1e-5, (2, *shape))
        for ends in (False, True):
            lines = random_lines(shape, far=ends, top=ends)
            for v in (np.zeros((1, 6)), random_drive(2, 6)):
                assert_solution(solved(g, v, lines, sources=tuple(sources)), g, v, lines, sources=tuple(sources))

    def test_injected_currents_add_to_the_driven_ones(self):
        shape = (4, 5)
        g, v, lines = random_cells(shape), random_drive(1, 4), random_lines(shape)
        sources = tuple(np.random.default_rng(0).uniform(-1e-5, 1e-5, (2, *shape)))
        driven, both = solved(g, v, lines), solved(g, v, lines, sources=sources)
        injected = solved(g, 0 * v, lines, sources=sources)
        assert_allclose(driven.currents + injected.currents, both.currents, rtol=0, atol=1e-15)
        assert_allclose(driven.a + injected.a, both.a, rtol=0, atol=1e-13)

    def test_nothing_driven_is_nothing_solved(self):
        g, lines = random_cells((5, 6)), random_lines((5, 6), far=True, top=True)
        found = solved(g, np.zeros((1, 5)), lines)
        assert not np.concatenate([x.ravel() for x in (found.checks, found.currents, found.a, found.b)]).any()

    @pytest.mark.parametrize("tolerance", [1e-2, 1e-4, 1e-8])
    def test_the_tolerance_is_kept(self, tolerance):
        """Of the error in the energy norm, relative to that of the solution: sums of g v^2 in cells and wires."""
        shape = (12, 12)
        g, v, lines = random_cells(shape, open_share=0.0), random_drive(3, 12), random_lines(shape)
        found, exact = solved(g, v, lines, tolerance=tolerance), solved(g, v, lines)
        assert (found.checks[:, 0] < exact.checks[:, 0]).all()
        for k in range(3):
            a, b = found.a[k] - exact.a[k], found.b[k] - exact.b[k]
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
            g, v, lines = random_cells(shape), random_drive(2, shape[0]), random_lines(shape, far=ends, top=ends)
            assert_solution(solved(g, v, lines, law), g, v, lines, law)

    @pytest.mark.parametrize("law", LAWS)
    @pytest.mark.parametrize("present", [(0, 0, 0, 0), (1, 0, 0, 1), (0, 1, 1, 0)])
    def test_zero_resistances(self, law, present):
        g, v, lines = random_cells((3, 4)), random_drive(1, 3), random_lines((3, 4), present=present)
        assert_solution(solved(g, v, lines, LAWS[law]), g, v, lines, LAWS[law])

    @pytest.mark.parametrize("law", LAWS)
    def test_floating_lines(self, law):
        g, v, lines = random_cells((5, 4), open_share=0.0), random_drive(1, 5), random_lines((5, 4))
        floating = np.array([0, 1, 0, 0, 1])
        v[:, floating == 1] = 0.0
        lines = lines._replace(near=np.where(floating, 1e33, lines.near), floating=floating)
        assert_solution(solved(g, v, lines, LAWS[law]), g, v, lines, LAWS[law])

    def test_voltages_far_beyond_the_knee(self):
        """The cells want 1e9 times the current that the drivers let through."""
        g, lines, law = random_cells((3, 4), open_share=0.0), random_lines((3, 4)), LAWS["sinh"]
        v = np.array([[2.0, -1.5, 1.0]])
        assert_solution(solved(g, v, lines, law), g, v, lines, law, rtol=1e-11)

    def test_a_polynomial_need_not_rise_beyond_what_the_cells_can_see(self):
        """From 0.25 V on it falls, and its fit ends at 0.6 V; the sources span 0.24 V."""
        g, lines = random_cells((5, 4), open_share=0.0), random_lines((5, 4))
        falling = LAWS["polynomial"].but(
            {
                "square_ampere_per_square_volt": CurveSpec(coefficients=(0.0, -2e-4), reference_siemens=1e-4),
                "cube_ampere_per_cubic_volt": 0.0,
            }
        )
        v = np.array([[0.24, 0.0, 0.2, 0.1, 0.24], [0.1, -0.1, 0.14, 0.0, 0.0]])
        assert_allclose(falling.rising_volt(g), 0.25)
        assert_solution(solved(g, v, lines, falling), g, v, lines, falling)

    def test_a_polynomial_that_hardly_rises(self):
        """Cells that are flat at the voltage of the source, behind little and much resistance."""
        flat = LAWS["polynomial"].but(
            {
                "square_ampere_per_square_volt": CurveSpec(coefficients=(0.0, -2e-4), reference_siemens=1e-4),
                "cube_ampere_per_cubic_volt": CurveSpec(coefficients=(0.0, 1.3333346666667e-4), reference_siemens=1e-4),
                "most_volt": 1.5,
            }
        )
        g = random_cells((4, 5), open_share=0.0)
        assert (flat.slope(g, 0.5) < 2e-6 * g).all()
        for scale in (0.01, 1.0, 30.0):
            lines = random_lines((4, 5))
            lines = Lines(*(scale * x for x in lines[:-1]), lines.floating)
            for v in np.array([[[0.5, 0.5, 0.5, 0.5]], [[0.7, -0.5, 0.6, 0.0]]]):
                assert_solution(solved(g, v, lines, flat), g, v, lines, flat, rtol=1e-11)


class TestManyVectors:
    @pytest.mark.parametrize("law", ["linear", *LAWS])
    def test_each_gets_the_bits_that_it_gets_alone(self, law):
        law = LAWS.get(law, LINEAR)
        g, lines = random_cells((5, 6)), random_lines((5, 6), far=True)
        v = random_drive(4, 5) * np.array([[1.0], [1e-3], [0.0], [2.0]])
        together = solved(g, v, lines, law)
        for k in range(len(v)):
            for one, all_of_them in zip(solved(g, v[k : k + 1], lines, law)[1:], together[1:], strict=True):
                assert_array_equal(one[0], all_of_them[k])

    @pytest.mark.parametrize("law", ["linear", "sinh", "polynomial"])
    def test_the_bits_do_not_depend_on_what_is_kept(self, law):
        law = LAWS.get(law, LINEAR)
        g, v, lines = random_cells((5, 6)), random_drive(3, 5), random_lines((5, 6), top=True)
        kept, lean = solved(g, v, lines, law), solved(g, v, lines, law, kept=False)
        assert_array_equal(lean.currents, kept.currents)
        assert_array_equal(lean.checks[:, :2], kept.checks[:, :2])
        # Of the voltage law, only the lines that were solved by iteration are looked at.
        assert (lean.checks[:, 2] <= kept.checks[:, 2]).all()
        assert not lean.checks[:, 3:5].any()
        assert not any(x.size for x in lean[3:])

    def test_no_vector(self):
        found = solved(random_cells((3, 4)), np.empty((0, 3)), random_lines((3, 4)))
        assert found.currents.shape == (0, 4)
        assert found.missed == 0


class TestFailure:
    @pytest.mark.parametrize("law", ["linear", "sinh", "gated cubic"])
    def test_too_few_iterations(self, law):
        law = LAWS.get(law, LINEAR)
        g, v, lines = random_cells((12, 12), open_share=0.0), random_drive(1, 12), random_lines((12, 12))
        lines = Lines(*(50 * x for x in lines))
        found = solved(g, v, lines, law)
        needed = int(found.checks[0, 0])
        assert needed > 5
        just_enough = solved(g, v, lines, law, max_iterations=needed)
        assert just_enough.missed == 0
        assert_allclose(just_enough.currents, found.currents, rtol=1e-11)
        for too_few in (0, 1, 2, 3):
            failed = solved(g, v, lines, law, max_iterations=too_few)
            assert failed.missed == 1
            assert failed.checks[0, 1] > TOLERANCE or too_few == 0

    def test_every_vector_that_misses_is_counted(self):
        """A vector of zeros is solved without an iteration."""
        g, lines = random_cells((12, 12), open_share=0.0), random_lines((12, 12))
        v = random_drive(3, 12)
        v[1] = 0.0
        found = solved(g, v, lines, max_iterations=1)
        assert found.missed == 2
        assert_array_equal(found.checks[:, 1] > TOLERANCE, [True, False, True])

    def test_a_violation_of_the_voltage_law_is_a_miss(self):
        """Of less than rounding, here: nothing can keep that."""
        g, v, lines = random_cells((12, 12), open_share=0.0), random_drive(3, 12), random_lines((12, 12))
        assert solved(g, v, lines, most_residual=1e-20).missed == 3

    @pytest.mark.filterwarnings("ignore::RuntimeWarning")
    @pytest.mark.parametrize("law", ["sinh", "gated sinh"])
    def test_what_is_no_number_is_a_miss(self, law):
        """Of 80 V, the sinh of 80 mV is infinite."""
        g, lines = random_cells((3, 4), open_share=0.0), random_lines((3, 4))
        found = solved(g, np.full((1, 3), 80.0), lines, LAWS[law])
        assert found.missed == 1 or np.isfinite(found.currents).all()


def checked(lines, through, slope, a, b, v, *, with_power=True):
    """(what verify returns, currents along the lines)."""
    (n_rows, n_columns) = a.shape
    along, down = np.full((n_rows, n_columns + 1), np.nan), np.full((n_rows + 1, n_columns), np.nan)
    returned = verify(n_columns, slope, through, a, b, v, *lines, with_power, along, down)
    return returned, along, down


CASES = {
    "one end": random_lines((5, 6)),
    "both ends": random_lines((5, 6), far=True, top=True),
    "no segments": random_lines((5, 6), present=(1, 0, 1, 0)),
    "no drivers": random_lines((5, 6), present=(0, 1, 0, 1), top=True),
    "floating": random_lines((5, 6))._replace(floating=np.array([0, 1, 0, 0, 1])),
}


class TestVerify:
    def case(self, name):
        """Lines, and a solution with the right or with any wrong voltages."""
        lines = CASES[name]
        lines = lines._replace(near=np.where(lines.floating, 1e33, lines.near))
        g, v = random_cells((5, 6), open_share=0.1), random_drive(1, 5)
        v[:, lines.floating == 1] = 0.0
        found = solved(g, v, lines)
        return lines, found.through[0], found.slope[0], found.a[0], found.b[0], v[0]

    @pytest.mark.parametrize("name", CASES)
    def test_against_the_oracle(self, name):
        """Of nonsense, too."""
        lines, *solution = self.case(name)
        rng = np.random.default_rng(0)
        nonsense = [rng.normal(size=x.shape) * np.abs(x).max() for x in solution]
        nonsense[1] = np.abs(nonsense[1])
        for each in (solution, nonsense):
            returned, along, down = checked(lines, *each)
            through, slope, a, b, v = each
            worst, given, heat, *flows = ORACLES[verify](slope, through, a, b, v, *lines)
            scale = np.abs(through).max()
            assert returned[0] == pytest.approx(worst, rel=1e-9, abs=1e-15)
            assert_allclose(returned[1:], (given, heat), rtol=1e-10, atol=1e-15 * scale)
            for found, known in zip((along, down), flows, strict=True):
                assert_allclose(found, known, rtol=0, atol=1e-13 * scale)

    @pytest.mark.parametrize("name", CASES)
    def test_a_wrong_voltage_is_found(self, name):
        lines, through, slope, a, b, v = self.case(name)
        assert checked(lines, through, slope, a, b, v)[0][0] < 1e-12
        for place in itertools.product((0, 2, 4), (0, 3, 5)):
            for side in (a, b):
                wrong = side.copy()
                wrong[place] += 1e-6
                sides = (wrong, b) if side is a else (a, wrong)
                worst = checked(lines, through, slope, *sides, v)[0][0]
                # Less than the whole beside a terminal, where it is measured by the current that it moves.
                assert 2e-7 < worst <= 1.001e-6

    def test_a_wrong_current_is_found(self):
        lines, through, slope, a, b, v = self.case("one end")
        for place in ((0, 0), (2, 3), (4, 5)):
            wrong = through.copy()
            wrong[place] += 1e-6
            assert checked(lines, wrong, slope, a, b, v)[0][0] > 1e-6

    def test_a_current_into_a_floating_line_is_found(self):
        lines, through, slope, a, b, v = self.case("floating")
        wrong = through.copy()
        wrong[1] *= np.where(np.arange(6) == 2, 1.01, 1.0)
        assert checked(lines, wrong, slope, a, b, v)[0][0] > 1e-5

    @pytest.mark.parametrize("side", ["through", "a", "b"])
    def test_a_missing_number_is_no_solution(self, side):
        lines, through, slope, a, b, v = self.case("one end")
        arrays = {"through": through, "a": a, "b": b}
        arrays[side] = np.where(np.arange(30).reshape(5, 6) == 14, np.nan, arrays[side])
        assert not checked(lines, arrays["through"], slope, arrays["a"], arrays["b"], v)[0][0] < 1e-9

    @pytest.mark.parametrize("name", CASES)
    def test_without_powers_the_input_lines_are_checked(self, name):
        lines, through, slope, a, b, v = self.case(name)
        a = a + 1e-6 * np.cos(np.arange(30)).reshape(5, 6)
        (worst, *_), along, _ = checked(lines, through, slope, a, b, v)
        lean, same, _ = checked(lines, through, slope, a, b, v, with_power=False)
        assert lean[0] == pytest.approx(worst, rel=1e-6)
        assert_array_equal(same, along)

"""Write-and-verify: what a write leaves, what it takes, and which cells it gives up.

Statistical tests have fixed seeds; |z| < 4.5 is a false alarm in 1.5e5 cases, a p value above 1e-4 in 1e4.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from rramsim.cell.device import DeviceSpec
from rramsim.cell.normal import draw_normal
from rramsim.cell.writing import WriteSpec
from rramsim.errors import SpecError
from rramsim.rng import Streams

N = 40000
TARGET = 5e-5
SIGMA = 2e-6
PULSE = {"volt": 2.0, "pulse_second": 1e-7}
ACCEPTED = stats.norm.cdf(1) - stats.norm.cdf(-1)
"""Chance of one pulse to end within one sigma."""


def anew(n=N, seed=1, tolerance=SIGMA, most_pulses=5, **parts):
    write = {**PULSE, "tolerance_siemens": tolerance, "most_pulses": most_pulses}
    parts = {"programming": {"spread_siemens": SIGMA}, **parts}
    return DeviceSpec(write=write, **parts).program(np.full(n, TARGET), rng=seed)


def stepped(target, step="fixed", fraction=0.0625, most_pulses=1000, tolerance=1e-7, seed=1, **more):
    write = {
        **PULSE,
        "tolerance_siemens": tolerance,
        "most_pulses": most_pulses,
        "step": step,
        "step_fraction": fraction,
    }
    window = {key: more.pop(key) for key in ("g_min_siemens", "stuck", "endurance") if key in more}
    return DeviceSpec(write=write | more, **window).program(np.atleast_1d(target), rng=seed)


class TestUnverified:
    def test_one_pulse_each(self):
        """The energy of the pulse is V^2 g t at the conductance written, or what is given."""
        spec = DeviceSpec(write=PULSE, programming={"spread_siemens": SIGMA})
        written = spec.program(np.full(7, TARGET), rng=1)
        assert (written.pulses, written.joule, written.failed) == (None, None, None)
        assert written.n_pulses == 7
        assert_allclose(written.write_joule, (4.0 * 1e-7 * written.g).sum(), rtol=1e-14)
        assert_array_equal(written.write_second, np.full(7, 1e-7))
        given = DeviceSpec(write={**PULSE, "joule": 3e-12}).program(np.full(7, TARGET), rng=1)
        assert_allclose(given.write_joule, 21e-12, rtol=1e-14)


class TestAnew:
    def test_accepted_cells_follow_the_truncated_normal(self):
        """Kolmogorov-Smirnov of all accepted cells, whichever pulse it was."""
        written = anew()
        error = (written.g - TARGET) / SIGMA
        assert stats.kstest(error[~written.failed], stats.truncnorm(-1, 1).cdf).pvalue > 1e-4

    def test_given_up_cells_are_outside(self):
        """Theirs is the rest of the normal distribution."""
        written = anew()
        error = np.abs(written.g - TARGET)[written.failed] / SIGMA
        assert error.min() > 1
        assert stats.kstest(stats.norm.sf(error) / stats.norm.sf(1), stats.uniform.cdf).pvalue > 1e-4

    def test_pulses_are_geometric(self):
        """Chi-square of the numbers of cells that took 1 to 5 pulses."""
        pulses = anew().pulses
        chance = ACCEPTED * (1 - ACCEPTED) ** np.arange(5)
        chance[-1] = (1 - ACCEPTED) ** 4
        counts = np.bincount(pulses, minlength=6)[1:]
        assert counts.sum() == N
        assert stats.chisquare(counts, N * chance).pvalue > 1e-4

    @pytest.mark.parametrize("most_pulses", [2, 4, 8])
    def test_failures(self, most_pulses):
        """(1 - p)^n, binomial within the central 1 - 1e-5."""
        written = anew(most_pulses=most_pulses)
        low, high = stats.binom.interval(1 - 1e-5, N, (1 - ACCEPTED) ** most_pulses)
        assert low <= written.failed.sum() <= high
        assert (written.pulses[written.failed] == most_pulses).all()

    def test_against_a_loop_over_pulses(self):
        """Ten cells, pulse by pulse with the numbers of the same stream: conductances, pulses, energy, time."""
        written = anew(n=10, tolerance=5e-7, most_pulses=20)
        rng = Streams(1).generator("programming")
        g, pulses, joule = np.zeros(10), np.zeros(10, int), np.zeros(10)
        for _ in range(20):
            wrong = [k for k in range(10) if not pulses[k] or abs(g[k] - TARGET) > 5e-7]
            numbers = draw_normal(rng, (len(wrong),))
            for k, n in zip(wrong, numbers, strict=True):
                g[k] = TARGET + SIGMA * float(n)
                pulses[k] += 1
                joule[k] += 2.0**2 * g[k] * 1e-7
        assert pulses.max() > 3
        assert_array_equal(written.g, g)
        assert_array_equal(written.pulses, pulses)
        assert_array_equal(written.failed, np.abs(g - TARGET) > 5e-7)
        assert_allclose(written.joule, joule, rtol=1e-14)
        assert_allclose(written.write_joule, joule.sum(), rtol=1e-14)
        assert written.n_pulses == pulses.sum()
        assert_allclose(written.write_second, pulses * 1e-7, rtol=1e-14)

    def test_given_energy_counts_pulses(self):
        write = {"joule": 2e-12, "pulse_second": 1e-6, "tolerance_siemens": SIGMA, "most_pulses": 9}
        spec = DeviceSpec(write=write, programming={"spread_siemens": SIGMA})
        written = spec.program(np.full(500, TARGET), rng=1)
        assert_allclose(written.joule, 2e-12 * written.pulses, rtol=1e-14)

    def test_device_errors_raise_the_failures(self):
        """A cell whose own error is d is accepted with P(|d + sigma n| <= tolerance): mean failures, |z| < 4.5."""
        plain, unlike = anew(), anew(device_to_device={"spread_siemens": 3e-6})
        assert unlike.failed.mean() > 10 * plain.failed.mean()
        spec = unlike.spec.device_to_device
        d = spec.sample(np.full(N, TARGET), 1e-4, Streams(1).generator("device_to_device")) - TARGET
        accepted = stats.norm.cdf((SIGMA - d) / SIGMA) - stats.norm.cdf((-SIGMA - d) / SIGMA)
        expected = (1 - accepted) ** 5
        z = (unlike.failed.sum() - expected.sum()) / np.sqrt((expected * (1 - expected)).sum())
        assert abs(z) < 4.5

    def test_a_wide_tolerance_is_no_verification(self):
        """Bit for bit the unverified write, one pulse each."""
        wide, plain = anew(tolerance=1.0), DeviceSpec(programming={"spread_siemens": SIGMA})
        assert_array_equal(wide.g, plain.program(np.full(N, TARGET), rng=1).g)
        assert (wide.pulses == 1).all()
        assert not wide.failed.any()

    def test_without_spread_one_pulse_is_enough(self):
        written = anew(n=9, programming={})
        assert_array_equal(written.g, np.full(9, TARGET))
        assert (written.pulses == 1).all()
        assert not written.failed.any()

    def test_tolerance_as_a_curve(self):
        """Each state has its own; where the curve is not above 0 no cell is accepted."""
        write = {"tolerance_siemens": (-1e-6, 2e-5), "most_pulses": 3}
        spec = DeviceSpec(write=write, programming={"spread_siemens": 1e-6})
        written = spec.program(np.repeat([[2e-6], [1e-4]], 100, axis=1), rng=1)
        assert (written.pulses == [[3], [1]]).all()
        assert_array_equal(written.failed[1], np.zeros(100, bool))

    def test_a_bounded_cell_is_verified_at_its_bound(self):
        """What would end above the window ends at its top, the target: half of the cells at once."""
        write = {"tolerance_siemens": 1e-9, "most_pulses": 2}
        spec = DeviceSpec(write=write, programming={"spread_siemens": SIGMA}, bounded=True)
        written = spec.program(np.full(N, 1e-4), rng=1)
        assert abs((written.pulses == 1).mean() - 0.5) < 4.5 * 0.5 / np.sqrt(N) + 1e-3
        assert_array_equal(written.failed, written.g < 1e-4 - 1e-9)
        assert written.g.max() == 1e-4

    def test_stuck_cells_take_all_pulses_and_fail(self):
        written = anew(stuck={"on_fraction": 0.1, "dead_row_fraction": 0.0})
        stuck = written.held
        assert 0.08 < stuck.mean() < 0.12
        assert (written.pulses[stuck] == 5).all()
        assert written.failed[stuck].all()
        assert_allclose(written.joule[stuck], 5 * 4.0 * 1e-4 * 1e-7, rtol=1e-14)
        # The others are none the wiser.
        assert_array_equal(written.g[~stuck], anew().g[~stuck])
        assert_array_equal(written.pulses[~stuck], anew().pulses[~stuck])

    def test_a_cell_stuck_at_its_target_passes(self):
        spec = DeviceSpec(write={"tolerance_siemens": 1e-7, "most_pulses": 3}, stuck={"on_fraction": 1.0})
        written = spec.program([1e-4, TARGET], rng=0)
        assert_array_equal(written.failed, [False, True])
        assert_array_equal(written.pulses, [1, 3])

    def test_a_dead_line_takes_no_energy(self):
        spec = DeviceSpec(
            write={**PULSE, "tolerance_siemens": 1e-7, "most_pulses": 3}, stuck={"dead_column_fraction": 1.0}
        )
        written = spec.program(np.full((2, 3), TARGET), rng=0)
        assert (written.write_joule, written.n_pulses) == (0.0, 18)
        assert written.failed.all()


class TestSteps:
    @pytest.mark.parametrize("target", [0.0, 3.1e-5, 5e-5, 1e-4])
    def test_fixed_steps_by_hand(self, target):
        """From the bottom in steps of 1/16 of 100 uS; the target is a whole number of steps but for the tolerance."""
        steps = round(target / 6.25e-6)
        written = stepped(target, tolerance=5e-7)
        assert written.pulses == steps
        assert_allclose(written.g, steps * 6.25e-6, rtol=1e-12, atol=1e-18)
        assert not written.failed
        # Energy of V^2 g t after each pulse: a triangular number of steps.
        assert_allclose(written.joule, 4.0 * 1e-7 * 6.25e-6 * steps * (steps + 1) / 2, rtol=1e-12, atol=1e-25)

    @pytest.mark.parametrize("fraction", [0.1, 0.37])
    def test_soft_steps_by_hand(self, fraction):
        """After k pulses g = top (1 - (1 - f)^k): pulses to within the tolerance of 90 uS in closed form."""
        target, tolerance = 9e-5, 4e-6
        k = int(np.ceil(np.log(1 - (target - tolerance) / 1e-4) / np.log(1 - fraction)))
        reached = 1e-4 * (1 - (1 - fraction) ** k)
        assert abs(reached - target) <= tolerance
        written = stepped(target, "soft", fraction, tolerance=tolerance)
        assert written.pulses == k
        assert_allclose(written.g, reached, rtol=1e-12)

    def test_soft_steps_come_back_from_above(self):
        """An overshoot is mended by steps towards the bottom: 0 -> 60 -> 36 uS, with half of what is left each."""
        written = stepped(3.5e-5, "soft", 0.6, tolerance=2e-6, most_pulses=9)
        # Up 60 % of 100, down 60 % of 60, up 60 % of 76, down 60 % of 69.6, ...
        g, pulses = 0.0, 0
        while abs(g - 3.5e-5) > 2e-6 and pulses < 9:
            g += 0.6 * ((1e-4 - g) if g < 3.5e-5 else -g)
            pulses += 1
        assert pulses > 2
        assert_allclose(written.g, g, rtol=1e-12)
        assert written.pulses == pulses

    def test_a_step_too_large_never_ends(self):
        """Between two steps that both miss the target; given up after the last pulse."""
        written = stepped(5e-5, fraction=0.75, most_pulses=11, tolerance=1e-6)
        assert written.pulses == 11
        assert written.failed

    @pytest.mark.parametrize("step", ["fixed", "soft"])
    def test_scattered_steps_end_within_the_tolerance(self, step):
        """However they scatter, what is accepted is within it, and inside the cell's own window."""
        written = stepped(
            np.linspace(1e-6, 9e-5, 5000), step, 0.02, tolerance=5e-7, step_spread=0.5, step_device_spread=0.3,
            top_device_spread=0.05, bottom_device_spread=0.02,
        )  # fmt: skip
        targets = np.linspace(1e-6, 9e-5, 5000)
        near = np.abs(written.g - targets) <= 5e-7
        assert_array_equal(written.failed, ~near)
        assert near.mean() > 0.9
        assert (written.g >= 0).all()
        assert (written.pulses[written.failed] == 1000).all()

    def test_spread_of_steps(self):
        """After one pulse: normal from pulse to pulse (sd 0.1 of a step), lognormal from cell to cell."""
        one = stepped(np.full(N, 1e-4), fraction=0.25, most_pulses=2, tolerance=7.4e-5, step_spread=0.1)
        first = one.g[one.pulses == 1]
        # Only steps of 26 uS and more are accepted after one pulse: their share is that of a normal number above 0.4.
        assert abs(first.size / N - stats.norm.sf(0.4)) < 4.5 * 0.5 / np.sqrt(N)
        cells = WriteSpec(
            step="fixed", step_fraction=0.25, tolerance_siemens=1e-6, most_pulses=2, step_device_spread=0.3,
            top_device_spread=0.1, bottom_device_spread=0.05,
        ).draw_steps((N,), (5e-5, 1e-4), np.random.default_rng(1))  # fmt: skip
        assert stats.kstest(np.log(cells.factor) / 0.3, stats.norm.cdf).pvalue > 1e-4
        assert stats.kstest((cells.top - 1e-4) / 5e-6, stats.norm.cdf).pvalue > 1e-4
        assert stats.kstest((cells.bottom - 5e-5) / 2.5e-6, stats.norm.cdf).pvalue > 1e-4

    def test_cells_that_cannot_reach_their_target_fail(self):
        """The top varies by 10 % of the window: half of the cells fall short of the nominal top."""
        written = stepped(np.full(4000, 1e-4), fraction=0.05, most_pulses=60, tolerance=1e-8, top_device_spread=0.1)
        assert abs(written.failed.mean() - 0.5) < 4.5 * 0.5 / np.sqrt(4000) + 0.01
        assert (written.g[written.failed] < 1e-4).any()

    def test_a_cell_keeps_its_steps_when_it_is_rewritten(self):
        write = {"tolerance_siemens": 1e-8, "most_pulses": 50, "step": "fixed", "step_fraction": 0.02}
        spec = DeviceSpec(write={**write, "top_device_spread": 0.1})
        g = spec.program(np.full((2, 300), 1e-4), rng=1, cell_rng=2).g
        assert_array_equal(g[0], g[1])
        assert np.unique(g[0]).size > 100

    def test_stuck_cells(self):
        written = stepped(np.full(400, TARGET), most_pulses=30, tolerance=4e-6, stuck={"off_fraction": 0.5})
        assert (written.pulses[written.held] == 30).all()
        assert written.failed[written.held].all()
        assert (written.pulses[~written.held] == 8).all()
        assert stepped(0.0, stuck={"off_fraction": 1.0}).pulses == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"tolerance_siemens": -1e-6}, "tolerance_siemens -1e-06 is at least 0: it is a distance"),
        ({"tolerance_siemens": 1e-6}, "so most_pulses is at least 2: one pulse corrects nothing"),
        ({"most_pulses": 5}, "most_pulses is given but tolerance_siemens is not: there is nothing to verify"),
        ({"most_pulses": 0}, "most_pulses: got 0; it is at least 1"),
        ({"step_fraction": 0.1}, "step_fraction: no meaning where a pulse writes a cell anew (step = 'anew')"),
        ({"step_spread": 0.1, "top_device_spread": 0.1}, "step_spread, top_device_spread: no meaning where a pulse"),
        ({"step": "soft"}, "step = 'soft' needs step_fraction and tolerance_siemens, to know when to stop"),
        ({"step": "fixed", "step_fraction": 0.1}, "step = 'fixed' needs step_fraction and tolerance_siemens"),
        ({"step": "hard"}, "it is one of 'anew', 'fixed' or 'soft'. What one pulse does."),
        ({"volt": -1.0}, "volt: got -1.0; it is at least 0. Voltage and length of one pulse."),
        ({"pulse_second": -1.0}, "second: got -1.0; it is at least 0"),
        ({"joule": -1.0}, "joule: got -1.0; it is at least 0"),
        ({"step_device_spread": 30.0}, "step_device_spread: got 30.0; it is at most 20"),
    ],
)
def test_wrong_writes(wrong, sentence):
    with pytest.raises(SpecError) as caught:
        WriteSpec(**wrong)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("part", ["programming", "device_to_device"])
def test_steps_make_their_own_errors(part):
    write = {"step": "soft", "step_fraction": 0.1, "tolerance_siemens": 1e-6, "most_pulses": 9}
    with pytest.raises(SpecError, match="'soft' makes its own errors: programming and device_to_device stay empty"):
        DeviceSpec(write=write, **{part: {"spread_siemens": 1e-6}})

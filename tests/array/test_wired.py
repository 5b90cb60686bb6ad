"""Written cells behind the lines of an array, and the noise of their column currents."""

import numpy as np
import pytest
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import network
from scipy import stats

from rramsim.array.network import Network
from rramsim.array.reduction import transconductances
from rramsim.array.wired import ProgrammedArray, noise_weights
from rramsim.array.wires import WireSpec
from rramsim.cell.cells import ProgrammedCells
from rramsim.cell.device import DeviceSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.errors import RangeError, SpecError

DEVICE = DeviceSpec(g_max_siemens=1e-4, read_noise=ReadNoiseSpec(relative_deviation=0.02))
OHM = {"word_line_ohm": 8.0, "bit_line_ohm": 5.0, "driver_ohm": 90.0, "sense_ohm": 40.0}


def cells(shape, seed=0):
    return ProgrammedCells(DEVICE, np.random.default_rng(seed).uniform(1e-6, 1e-4, shape))


def test_transconductance_is_the_circuits():
    written = cells((5, 7))
    array = ProgrammedArray.wired(written, WireSpec(**OHM))
    assert_allclose(array.transconductance, network.transconductance(written.g, **OHM), rtol=1e-12)
    assert_array_equal(ProgrammedArray.wired(written, WireSpec()).transconductance, written.g)
    assert_allclose(ProgrammedArray.wired(written, WireSpec()).row_conductance, written.g.sum(axis=1))
    assert array.cells is written


def test_row_conductance_is_the_power_of_the_cells():
    """In the mean over drives of half of the rows, within 1 %; V^2 times the conductances would be 5 % and more off."""
    written, rng = cells((24, 20)), np.random.default_rng(5)
    wires = WireSpec(word_line_ohm=10.0, bit_line_ohm=10.0, driver_ohm=20.0, sense_ohm=20.0)
    array, v = ProgrammedArray.wired(written, wires), (rng.random((400, 24)) < 0.5) * 0.2
    word, bit = Network(written.g, wires).node_voltages(v)
    power = (written.g * (word - bit) ** 2).sum(axis=(1, 2)).mean()
    assert (v**2 @ array.row_conductance).mean() == pytest.approx(power, rel=0.01)
    assert (v**2 @ written.g.sum(axis=1)).mean() > 1.05 * power


def test_stacked_arrays():
    written = cells((2, 3, 4, 5))
    array = ProgrammedArray.wired(written, WireSpec(**OHM))
    alone = ProgrammedArray.wired(written.part((1, 2)), WireSpec(**OHM))
    assert_array_equal(array.transconductance[1, 2], alone.transconductance)
    assert array.row_conductance.shape == (2, 3, 4)


def test_noise_without_wires_is_exact():
    """Deviation of the currents of 20 000 reads; a relative error above 4.5 / sqrt(2 n) = 2.3 % is a 1e-5 event.

    Each of the reads is of a row of equal arrays, so that one call draws them all.
    """
    written = cells((6, 4))
    array, v = ProgrammedArray.wired(written, WireSpec()), np.linspace(-0.2, 0.2, 6)
    rng = np.random.default_rng(1)
    many = ProgrammedCells(DEVICE, np.broadcast_to(written.g, (20000, 6, 4)))
    currents = v @ many.read(rng=rng)
    deviation = np.sqrt(v**2 @ array.noise_deviation**2)
    assert_allclose(currents.std(axis=0), deviation, rtol=0.023)
    assert_allclose(currents.mean(axis=0), v @ written.g, atol=4.5 * deviation.max() / np.sqrt(20000))


ENDS = [
    {},
    {"driver_end": "far"},
    {"sense_end": "near"},
    {"driver_end": "far", "sense_end": "near", "end_segments": True},
    {"driver_end": "both", "sense_end": "both"},
]


def wires_of(g, coupling, **ends):
    """Lines and circuits of one resistance, for this coupling."""
    n_rows, n_columns = g.shape
    ohm = 2 * coupling / (g.mean() * (n_rows**2 + n_columns**2))
    return WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm, driver_ohm=ohm, sense_ohm=ohm, **ends)


def cells_of(kind, shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.choice([2e-6, 1e-4], shape) if kind == "binary" else 10.0 ** rng.uniform(-6, -4, shape)


def modelled_over_true(g, wires, n_driven, weights, n_drives=6):
    """Standard deviations (n_drives, n_columns) by the weights over those by the exact sensitivities of all cells."""
    net, rng, ratios = Network(g, wires), np.random.default_rng(1), []
    for _ in range(n_drives):
        v = np.zeros(len(g))
        v[rng.permutation(len(g))[:n_driven]] = 0.2
        true = ((net.sensitivity(v) * g) ** 2).sum(axis=(1, 2))
        ratios.append(np.sqrt(v**2 @ (weights * g) ** 2 / true))
    return np.array(ratios)


class TestNoiseWeights:
    @pytest.mark.thinned(7)
    @pytest.mark.parametrize(("coupling", "off"), [(0.1, 0.004), (0.5, 0.015), (1.0, 0.025)])
    @pytest.mark.parametrize("ends", ENDS)
    @pytest.mark.parametrize("kind", ["binary", "from 1 to 100 uS"])
    @pytest.mark.parametrize("shape", [(32, 32), (40, 16), (16, 60)])
    def test_half_of_the_rows(self, coupling, off, ends, kind, shape):
        """In the mean over columns and drives; each alone depends on which rows are driven."""
        g = cells_of(kind, shape)
        wires = wires_of(g, coupling, **ends)
        ratio = modelled_over_true(g, wires, shape[0] // 2, noise_weights(g, wires))
        assert abs(ratio.mean() - 1) < off
        assert np.abs(ratio - 1).max() < 0.12 * coupling + 0.01

    @pytest.mark.parametrize("n_driven", [1, 8, 16, 24, 32])
    @pytest.mark.parametrize("coupling", [0.2, 1.0])
    def test_any_number_of_rows(self, n_driven, coupling):
        """By the weights of this share; those of another are wrong by up to a quarter of the coupling."""
        g = cells_of("from 1 to 100 uS", (32, 32))
        wires = wires_of(g, coupling)
        share = 0.0 if n_driven == 1 else n_driven / 32
        assert abs(modelled_over_true(g, wires, n_driven, noise_weights(g, wires, share)).mean() - 1) < 0.03 * coupling
        assert abs(modelled_over_true(g, wires, n_driven, noise_weights(g, wires)).mean() - 1) < 0.25 * coupling

    def test_by_drawing_every_cell(self):
        """The exact network of 3000 arrays: variances of 12 columns, together to 4.5 sqrt(2 / 36000) = 3.4 % and 2 %.

        The second for what the weights leave out at a coupling of 0.5, in an array as small as this.
        """
        written = cells((16, 12), seed=3)
        wires, v = wires_of(written.g, 0.5), 0.2 * (np.random.default_rng(2).permutation(16) < 8)
        many = ProgrammedCells(DEVICE, np.broadcast_to(written.g, (3000, 16, 12))).read(rng=1)
        currents = v @ transconductances(many, wires)
        modelled = v**2 @ ProgrammedArray.wired(written, wires).noise_variance
        assert abs((currents.var(axis=0) / modelled).mean() - 1) < 0.034 + 0.02
        by_signal = v**2 @ (0.02 * transconductances(written.g, wires)) ** 2
        assert (by_signal / currents.var(axis=0)).mean() > 1.15

    def test_voltages_of_either_sign(self):
        """They lift the bit lines by nothing in the mean, as a single row does."""
        g = cells_of("from 1 to 100 uS", (32, 32))
        wires, rng, ratios = wires_of(g, 0.5), np.random.default_rng(1), []
        net, weights = Network(g, wires), noise_weights(g, wires, 0.0)
        for _ in range(10):
            v = rng.choice([-0.2, 0.2], 32)
            true = ((net.sensitivity(v) * g) ** 2).sum(axis=(1, 2))
            ratios.append(np.sqrt(v**2 @ (weights * g) ** 2 / true))
        assert abs(np.mean(ratios) - 1) < 0.015

    @pytest.mark.parametrize("wires", [{}, {"bit_line_ohm": (0.0,) * 5, "word_line_farad": 1e-15}])
    def test_without_wires_they_are_1(self, wires):
        assert_array_equal(noise_weights(cells((2, 4, 5)).g, WireSpec(**wires)), np.ones((2, 4, 5)))

    @pytest.mark.parametrize("ohm", [1e-9, 1e-3])
    def test_they_tend_to_1(self, ohm):
        weights = noise_weights(cells((6, 5)).g, WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm, sense_ohm=ohm))
        assert_allclose(weights, 1.0, atol=1e-2 * ohm)

    @pytest.mark.parametrize("ends", ENDS)
    def test_mirror_images(self, ends):
        """An array whose lines are driven and sensed at their other ends is the same one seen from the other side."""
        g, rng = cells_of("from 1 to 100 uS", (7, 9)), np.random.default_rng(4)
        ohm = {"word_line_ohm": 7, "bit_line_ohm": 9, "driver_ohm": 7, "sense_ohm": 9}
        ohm = {key: rng.uniform(10, 1000, n) for key, n in ohm.items()}
        other = {"near": "far", "far": "near", "both": "both"}
        swapped = {
            "driver_end": other[ends.get("driver_end", "near")],
            "sense_end": other[ends.get("sense_end", "far")],
        }
        one = noise_weights(g, WireSpec(**{key: tuple(x.tolist()) for key, x in ohm.items()}, **ends))
        turned = {key: tuple(x[::-1].tolist()) for key, x in ohm.items()}
        two = noise_weights(g[::-1, ::-1], WireSpec(**turned, **{**ends, **swapped}))
        assert_allclose(one, two[::-1, ::-1], rtol=1e-12)

    def test_stacked_arrays_on_any_number_of_threads(self):
        g, wires = cells((3, 2, 6, 5)).g, WireSpec(**OHM)
        weights = noise_weights(g, wires, threads=1)
        assert_array_equal(noise_weights(g, wires, threads=4), weights)
        assert_array_equal(noise_weights(g[1, 1], wires), weights[1, 1])

    @settings(max_examples=examples(50))
    @given(st.tuples(st.integers(1, 8), st.integers(1, 8)), st.floats(-4, 4), st.floats(0, 1), st.sampled_from(ENDS))
    def test_wires_only_weaken(self, shape, decades, share, ends):
        g = cells_of("from 1 to 100 uS", shape)
        weights = noise_weights(g, wires_of(g, 10.0**decades, **ends), share)
        assert ((weights >= 0) & (weights <= 1)).all()

    @pytest.mark.parametrize("share", [-0.1, 1.1, np.nan])
    def test_no_share(self, share):
        with pytest.raises(RangeError, match=r"driven_share is a share of the rows, 0 to 1; got"):
            ProgrammedArray.wired(cells((2, 2)), WireSpec(sense_ohm=1.0), driven_share=share)

    def test_no_conductance(self):
        with pytest.raises(SpecError, match="noise_weights: conductances are finite and >= 0 siemens"):
            noise_weights([[1e-6, -1e-6]], WireSpec(sense_ohm=1.0))


class TestMoments:
    def test_of_a_column_current(self):
        """Without wires: mean, variance and third moment of 200 000 reads of a column of skewed cells, |z| < 4.5."""
        spec = DeviceSpec(
            read_noise={"law": "lognormal", "relative_deviation": 0.4},
            telegraph={"trap_share": 0.5, "amplitude": 0.3, "occupancy": 0.2},
        )
        written = spec.program(np.linspace(1e-5, 1e-4, 8)[:, None], rng=3)
        array, v = ProgrammedArray.wired(written, WireSpec()), np.linspace(0.1, 0.2, 8)
        many = written.part((slice(None), np.zeros(200_000, dtype=int))).read(rng=4)
        currents = v @ many
        centred = currents - v @ array.transconductance
        for power, expected in ((1, 0.0), (2, v**2 @ array.noise_variance), (3, v**3 @ array.noise_third)):
            powers = centred**power
            assert abs(powers.mean() - expected) < 4.5 * powers.std() / np.sqrt(powers.size)

    def test_a_shifted_gamma_distribution_of_these_moments(self):
        """Is the law of a sum of skewed cells to 0.5 %; the normal law is off by 3 % (Kolmogorov's distance)."""
        spec = DeviceSpec(read_noise={"law": "lognormal", "relative_deviation": 0.5})
        written = spec.program(np.full((8, 1), 5e-5), rng=0)
        array = ProgrammedArray.wired(written, WireSpec())
        sums = written.part((slice(None), np.zeros(100_000, dtype=int))).read(rng=5).sum(axis=0)
        mean, sigma = array.g.sum(), np.sqrt(array.noise_variance.sum())
        skewness = array.noise_third.sum() / sigma**3
        gamma = stats.pearson3(skewness, mean, sigma)
        assert stats.kstest(sums, gamma.cdf).statistic < 0.01
        assert stats.kstest(sums, stats.norm(mean, sigma).cdf).statistic > 0.03

    def test_the_third_passes_the_wires_as_the_noise_does(self):
        spec = DeviceSpec(read_noise={"law": "lognormal", "relative_deviation": 0.3})
        written, wires = spec.program(cells_of("binary", (5, 6)), rng=0), WireSpec(**OHM)
        array, weights = ProgrammedArray.wired(written, wires), noise_weights(written.g, wires)
        cumulants = written.cumulants()
        assert_allclose(array.noise_third, weights**3 * cumulants.third, rtol=1e-13)
        assert_allclose(array.noise_variance, weights**2 * cumulants.variance, rtol=1e-13)
        assert_allclose(array.noise_deviation, weights * 0.3 * written.g, rtol=1e-13)

    def test_noise_far_from_0_is_symmetric(self):
        assert ProgrammedArray.wired(cells((3, 4)), WireSpec()).noise_third is None
        quiet = ProgrammedArray.wired(DeviceSpec().program(np.full((3, 4), 1e-5)), WireSpec(**OHM))
        assert quiet.relative_noise is quiet.noise_third is None
        assert_array_equal(quiet.noise_variance, np.zeros((3, 4)))

    def test_a_cell_that_is_cut_off_at_0_conducts_in_the_mean(self):
        """An open cell with noise of 1 uS: max(n, 0) has the mean 1 / sqrt(2 pi) and the variance 1/2 - 1 / (2 pi)."""
        written = DeviceSpec(read_noise={"spread_siemens": 1e-6}).program(np.zeros((2, 2)), rng=0)
        array = ProgrammedArray.wired(written, WireSpec())
        assert_allclose(array.transconductance, 1e-6 / np.sqrt(2 * np.pi))
        assert_allclose(array.noise_variance, 1e-12 * (0.5 - 0.5 / np.pi))
        assert (array.noise_third > 0).all()

    def test_known_states_of_traps(self):
        spec = DeviceSpec(telegraph={"trap_share": 1.0, "amplitude": 0.2}, read_noise={"relative_deviation": 0.01})
        written, filled = (
            spec.program(np.full((2, 3), 5e-5), rng=0),
            np.array([[True, False, True], [False, False, True]]),
        )
        array = ProgrammedArray.wired(written, WireSpec(), filled=filled)
        assert_allclose(array.g, np.where(filled, 4e-5, 5e-5), rtol=1e-7)
        assert_allclose(array.noise_deviation, 5e-7, rtol=1e-12)

    @pytest.mark.parametrize("read_volt", [0.0, 0.3])
    def test_a_share_of_the_conductance_is_one_of_the_current(self, read_volt):
        """Noise of a cell with an I-V curve, by a difference of its currents; at 0 V by the slope there."""
        law = {"law": "sinh", "sinh_volt": 0.2, "series_ohm": 2000.0 * (read_volt > 0)}
        written = DeviceSpec(conduction=law, read_noise={"relative_deviation": 0.01}).program(
            np.full((1, 1), 5e-5), rng=0
        )
        array = ProgrammedArray.wired(written, WireSpec(), read_volt)
        volt = read_volt or 1e-6
        low, high = written.spec.conduction.current(np.array([4.9999e-5, 5.0001e-5]), volt) / volt
        assert_allclose(array.noise_deviation, (high - low) / 2e-9 * 5e-7, rtol=1e-6)

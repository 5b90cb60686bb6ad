"""The formulas of other simulators that docs/macro-errors.md compares: exact where they say so, and as published."""

import sys
from pathlib import Path

import numpy as np
import pytest

import rramsim as rs

FOLDER = Path(__file__).parents[3] / "docs" / "figures"
RNG = np.random.default_rng(5)
W = RNG.standard_normal((40, 6))
X = RNG.integers(0, 256, (5, 40))


@pytest.fixture(scope="module")
def peer():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import peer_formulas

        yield peer_formulas
        sys.modules.pop("peer_formulas")


@pytest.mark.parametrize("on_off", [np.inf, 4.0])
@pytest.mark.parametrize("offset", [False, True])
def test_crosssim_is_the_integer_product_without_errors(peer, offset, on_off):
    expected = X @ peer.crosssim_weights(W)
    products = peer.crosssim_product(W, X, offset=offset, on_off=on_off, n_rows=16)
    np.testing.assert_allclose(products, expected, rtol=0, atol=1e-9 * abs(expected).max())


@pytest.mark.parametrize("on_off", [np.inf, 4.0])
def test_neurosim_is_the_product_of_its_half_integers_without_errors(peer, on_off):
    codes = peer.neurosim_weights(W)
    assert codes.min() >= 0
    assert codes.max() == 255
    expected = X @ (codes - 127.5)
    products = peer.neurosim_product(W, X, on_off=on_off, n_rows=16)
    np.testing.assert_allclose(products, expected, rtol=0, atol=1e-9 * abs(expected).max())


@pytest.mark.parametrize("bits", [4, 8])
def test_the_largest_ranges_are_the_same_converters(peer, bits):
    codes = peer.crosssim_weights(W)
    spec = rs.MacroSpec(adc=rs.SarAdcSpec(bits=bits), signed_inputs=False, tile_rows=40)
    macro = spec.program(codes, ranges=rs.MacroRanges(inputs=255.0, weights=127.0), rng=0)
    expected = macro(X, rng=0)
    products = peer.crosssim_product(W, X, n_rows=40, adc_bits=bits)
    assert abs(expected - X @ codes).max() > 1.0  # the converters do err
    np.testing.assert_allclose(products, expected, rtol=0, atol=1e-9 * abs(expected).max())


@pytest.mark.parametrize("ohm", [0.0, 1e-4, 0.02])
def test_the_fixed_point_is_the_network(peer, ohm):
    # At 0.02 the full steps diverge, so that shorter ones are taken.
    g, v = RNG.uniform(0.1, 1.0, (20, 12)), RNG.uniform(0.0, 1.0, (3, 20))
    wires = rs.WireSpec(word_line_ohm=ohm, bit_line_ohm=ohm, end_segments=True)
    exact = rs.Network(g, wires).currents(v)
    np.testing.assert_allclose(peer.crosssim_currents(g, v, ohm, 1e-11), exact, rtol=1e-8)
    loose = peer.crosssim_currents(g, v, ohm)
    assert abs(loose - exact).max() < 2e-3 * g.sum(axis=0).max()
    assert ohm == 0.0 or abs(loose - exact).max() > 0.0


def test_full_steps_of_the_fixed_point_can_diverge(peer):
    g = np.ones((20, 12))
    assert peer.settled_currents(g, np.ones((20, 1)), 0.02, 1e-3, 100, 1.0) is None
    assert peer.settled_currents(g, np.ones((20, 1)), 0.02, 1e-3, 100, 0.3) is not None


def test_a_lumped_wire_is_the_own_wire_of_a_single_cell(peer):
    wires = rs.WireSpec(word_line_ohm=300.0, bit_line_ohm=300.0, end_segments=True)
    exact = rs.Network([[1e-4]], wires).transconductance()
    np.testing.assert_allclose(peer.neurosim_lumped(np.array([[1e-4]]), 300.0), exact, rtol=1e-12)


def test_lumped_wires_of_an_array(peer):
    # Lines are shared: the lumped wires leave nearly all of the error, ideal word lines half of it.
    g, v = RNG.uniform(1e-5, 1e-4, (128, 128)), RNG.uniform(0.0, 1.0, (2, 128))
    wires = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=1.0, end_segments=True)
    exact = rs.Network(g, wires).currents(v)
    columns = rs.Network(g, wires.but({"word_line_ohm": 0.0})).currents(v)
    currents = [v @ g, v @ peer.neurosim_lumped(g, 1.0), columns]
    errors = [np.linalg.norm(each - exact) / np.linalg.norm(exact) for each in currents]
    np.testing.assert_allclose(errors, [0.600, 0.586, 0.247], rtol=0.03)


def test_ranges_of_crosssim(peer):
    level, correction = 1.0 / 3.0, 256.0 / 255.0
    assert peer.crosssim_limit(100, 8, "max", offset=False) == 100.0
    assert peer.crosssim_limit(100, 8, "granular", offset=False) / 127 == pytest.approx(level * correction)
    # Of a single line the step is a power of two of levels: 128 rows x 3 levels, 2^8 codes.
    assert peer.crosssim_limit(100, 8, "max", offset=True) / 255 == pytest.approx(2.0 * level * correction)
    currents = np.reshape([-8.0, 5.0, 4.0, 0.9], (4, 1, 1, 1))
    np.testing.assert_array_equal(peer.crosssim_calibrated([0.5 * currents, currents]), [8.0, 8.0, 4.0, 1.0])


def test_a_granular_step_errs_like_a_gain(peer):
    # No sum exceeds 127 levels, so each of them has its own code.
    expected = X @ peer.crosssim_weights(W)
    products = peer.crosssim_product(W, X, n_rows=40, adc_bits=8, adc_range="granular")
    np.testing.assert_allclose(products, expected * 256 / 255, rtol=1e-9)


def test_converters_of_crosssim(peer):
    current = np.linspace(-1.2, 1.2, 1001)
    for offset, levels in ((False, 15), (True, 16)):
        converted = peer.convert(current, 1.0, 4, offset=offset)
        assert np.unique(converted).size == levels
        inside = (current >= (0.0 if offset else -1.0)) & (current <= 1.0)
        step = 1 / 15 if offset else 1 / 7
        assert abs(converted - current)[inside].max() <= step / 2 + 1e-12


def test_converters_of_neurosim(peer):
    current = RNG.uniform(2.0, 3.0, (50, 7))
    converted = peer.neurosim_converted(current, 4)
    step = np.ptp(current) / 16
    assert np.unique(converted).size <= 16
    assert (converted <= current + 1e-12).all()  # rounded down
    assert (current - converted).max() <= step + 1e-12
    assert (current - converted).mean() == pytest.approx(step / 2, rel=0.1)
    np.testing.assert_allclose(peer.neurosim_converted(current, 4, middle=True), converted + step / 2)
    constant = np.full(3, 0.7)
    assert peer.neurosim_converted(constant, 4) is constant
    assert peer.neurosim_converted(current, None) is current


def test_neurosim_depends_on_the_batch(peer):
    together = peer.neurosim_product(W, X, adc_bits=6)
    alone = peer.neurosim_product(W, X[:1], adc_bits=6)
    assert abs(together[0] - alone[0]).max() > 1.0
    mine = [peer.crosssim_product(W, x, adc_bits=6)[0] for x in (X, X[:1])]
    np.testing.assert_allclose(*mine, rtol=1e-12)


def variance(errors):
    """Mean of squares, and its standard error."""
    return np.mean(errors**2), np.std(errors**2) / np.sqrt(errors.size)


@pytest.mark.parametrize("fresh", [True, False])
def test_variation_drawn_anew_averages_out(peer, fresh):
    # Five standard errors: a false alarm in 10^6.
    w, x, seeds = W[:, :1], X[:1], range(400)
    exact = peer.neurosim_product(w, x, on_off=10.0)
    errors = [peer.neurosim_product(w, x, on_off=10.0, variation=0.02, fresh=fresh, seed=s) - exact for s in seeds]
    cells = (0.9 * peer.digits(peer.neurosim_weights(w)) + 0.3) / 0.9
    powers = np.tensordot(4.0 ** np.arange(8), peer.input_bits(x), 1) if fresh else x**2.0
    expected = 0.02**2 * (powers @ np.tensordot(16.0 ** np.arange(4), cells**2, 1)).item()
    mean_square, standard_error = variance(np.array(errors))
    assert abs(mean_square - expected) < 5 * standard_error


@pytest.mark.parametrize("offset", [False, True])
def test_programming_error_of_crosssim(peer, offset):
    w, x = W[:, :1], X[:1]
    exact = peer.crosssim_product(w, x, on_off=10.0, offset=offset)
    options = {"on_off": 10.0, "offset": offset, "spread": 0.02}
    errors = [peer.crosssim_product(w, x, seed=s, **options) - exact for s in range(400)]
    codes = peer.crosssim_weights(w)
    lines = [codes + 128] if offset else [np.maximum(codes, 0), np.maximum(-codes, 0)]
    squares = sum(((0.9 * peer.digits(line) + 0.3) / 0.9) ** 2 for line in lines)
    expected = 0.02**2 * (x**2.0 @ np.tensordot(16.0 ** np.arange(4), squares, 1)).item()
    mean_square, standard_error = variance(np.array(errors))
    assert abs(mean_square - expected) < 5 * standard_error


@pytest.mark.parametrize(("offset", "published"), [(False, 0.21637), (True, 0.34244)])
def test_the_published_error_of_a_fourier_matrix(peer, offset, published):
    # The figures of CrossSim's second tutorial, each a single draw.
    errors = [peer.crosssim_fourier_error(np.random.default_rng(seed), offset=offset) for seed in range(40)]
    assert abs(np.mean(errors) - published) < 4 * np.std(errors)
    assert np.std(errors) < 0.02 * published

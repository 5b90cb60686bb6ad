"""Weights of read noise against ladders of single resistors, the whole network, and what circuits allow."""

import numpy as np
import pytest
from helpers.compiled import COMPILED
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference.kernels import ORACLES

from rramsim.kernels.sensitivity import WEIGHT_PLANES, weigh_noise

SHAPES = [(1, 1), (1, 6), (7, 1), (4, 4), (5, 8), (9, 3)]
"""Around the four lines that are transposed at a time."""


def array_of(shape, seed=0, ohm=1e3, open_share=0.2, zeros=0.0, second=(0.0, 0.0)):
    """Cells of about 1 to 100 uS and the two families of lines; some without resistance, some with a second end."""
    rng = np.random.default_rng(seed)
    g = np.where(rng.random(shape) < open_share, 0.0, 10.0 ** rng.uniform(-6, -4, shape))
    lines = []
    for n, share in zip(shape, second, strict=True):
        lines += [np.where(rng.random(n) < zeros, 0.0, ohm * 10.0 ** rng.uniform(-1, 1, n)) for _ in range(2)]
        lines.append(np.where(rng.random(n) < share, 1 / ohm * 10.0 ** rng.uniform(-1, 1, n), 0.0))
    return g, lines


def weights(g, lines, driven_share=0.5, start=0, stop=None):
    """Weights of the noise of one array or many, from memory full of nan."""
    return weights_and_squares(g, lines, driven_share, start, stop)[0]


def weights_and_squares(g, lines, driven_share=0.5, start=0, stop=None):
    """The weights, and the mean squared voltages of the cells."""
    cells = g.reshape(-1, *g.shape[-2:])
    weight, square = np.full((2, *cells.shape), np.nan)
    work = np.full(WEIGHT_PLANES * cells[0].size, np.nan)
    weigh_noise(cells, *lines, driven_share, start, len(cells) if stop is None else stop, work, weight, square)
    return weight.reshape(g.shape), square.reshape(g.shape)


class TestAgainstTheOracle:
    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("second", [(0, 0), (1, 0), (0, 1), (0.6, 0.6)])
    @pytest.mark.parametrize("ohm", [10.0, 1e3, 1e5])
    def test_one_row_at_a_time(self, shape, second, ohm):
        """Closed: nothing is iterated where no other row is driven."""
        given = array_of(shape, seed=sum(shape), ohm=ohm, zeros=0.2, second=second)
        assert_allclose(weights(*given, 0.0), ORACLES[weigh_noise](given[0], *given[1], 0.0)[0], rtol=1e-12, atol=0)

    @pytest.mark.parametrize("shape", SHAPES)
    @pytest.mark.parametrize("second", [(0, 0), (0.6, 0.6)])
    @pytest.mark.parametrize("ohm", [10.0, 1e3, 1e4])
    def test_rows_together(self, shape, second, ohm):
        """To the tolerance of the voltages of the output lines, of which 0.1 % may be missing in the mean."""
        given = array_of(shape, seed=sum(shape), ohm=ohm, zeros=0.2, second=second)
        for share in (0.5, 1.0):
            expected = ORACLES[weigh_noise](given[0], *given[1], share)[0]
            assert_allclose(weights(*given, share), expected, rtol=0, atol=3e-3)

    @pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
    def test_squared_voltages(self, share):
        given = array_of((6, 5), seed=3, zeros=0.2, second=(0.5, 0.5))
        expected = ORACLES[weigh_noise](given[0], *given[1], share)[1]
        assert_allclose(weights_and_squares(*given, share)[1], expected, rtol=0, atol=3e-3 * share + 1e-12)

    def test_a_second_end_without_resistance(self):
        """Its conductance is beyond measure, but finite."""
        g, lines = array_of((4, 5), zeros=0.3)
        lines[2], lines[5] = np.full(4, 1e26), np.full(5, 1e26)
        for share in (0.0, 1.0):
            expected = ORACLES[weigh_noise](g, *lines, share)[0]
            assert_allclose(weights(g, lines, share), expected, rtol=0, atol=2e-3 * share + 1e-12)


class TestLaws:
    @pytest.mark.parametrize("second", [0.0, 1.0])
    def test_without_resistance_noise_arrives_in_full(self, second):
        g, lines = array_of((6, 7), zeros=1.0, second=(second, second))
        for share in (0.0, 0.3, 1.0):
            assert_array_equal(weights(g, lines, share), np.ones((6, 7)))

    def test_a_single_cell_by_hand(self):
        """Behind R ohm in all, a cell g sees 1 / (1 + R g) of the voltage, and so much of its noise arrives."""
        lines = [np.array([x]) for x in (300.0, 77.0, 0.0, 700.0, 88.0, 0.0)]
        g = np.array([[1e-4]])
        for share in (0.0, 0.5, 1.0):
            assert_allclose(weights(g, lines, share), 1 / (1 + 1000.0 * 1e-4) ** 2, rtol=1e-3 * share + 1e-14)

    @settings(max_examples=examples(200) if COMPILED else 20)
    @given(
        st.tuples(st.integers(1, 9), st.integers(1, 9)),
        st.integers(0, 2**32),
        st.floats(-3, 8),
        st.sampled_from([0.0, 0.5, 0.95]),
        st.floats(0, 1),
    )
    def test_wires_only_weaken(self, shape, seed, decades, zeros, share):
        weight = weights(*array_of(shape, seed, 10.0**decades, zeros, zeros, (1 - zeros, zeros)), share)
        assert (weight >= 0).all()
        assert (weight <= 1).all()

    def test_the_more_rows_the_weaker(self):
        """Every driven row lifts the bit lines for all others; lines of their own would also gain by what they save."""
        g, lines = array_of((8, 6), open_share=0.0)
        ideal = [np.zeros(8)] * 3
        one, some, all_of_them = (weights(g, ideal + lines[3:], share) for share in (0.0, 0.5, 1.0))
        assert (one > some).all()
        assert (some > all_of_them).all()

    def test_the_more_ohm_the_weaker(self):
        g, lines = array_of((6, 5), open_share=0.0)
        before = np.ones(g.shape)
        for factor in (0.01, 0.1, 1.0, 10.0):
            weight = weights(g, [x * factor for x in lines], 0.5)
            assert (weight < before).all()
            before = weight

    def test_lines_that_conduct_nothing(self):
        g, lines = array_of((5, 6))
        g[2], g[:, 3] = 0.0, 0.0
        for share in (0.0, 0.5):
            assert_allclose(weights(g, lines, share), ORACLES[weigh_noise](g, *lines, share)[0], atol=2e-3)
        assert np.isfinite(weights(np.zeros((3, 4)), array_of((3, 4))[1], 0.5)).all()


class TestManyArrays:
    def test_each_is_alone(self):
        g = np.stack([array_of((6, 5), seed)[0] for seed in range(7)])
        lines = array_of((6, 5), 1)[1]
        together = weights(g, lines)
        for one, expected in zip(g, together, strict=True):
            assert_array_equal(weights(one, lines), expected)

    def test_only_those_asked_for(self):
        g = np.stack([array_of((3, 4), seed)[0] for seed in range(5)])
        weight = weights(g, array_of((3, 4), 1)[1], start=1, stop=3)
        assert np.isfinite(weight[1:3]).all()
        assert np.isnan(weight[[0, 3, 4]]).all()


@pytest.mark.slow
def test_runs_without_compilation(compiled_and_plain):
    """The Python body gives the numbers of the compiled one, which rounds less often."""
    code = (
        "import numpy as np; from rramsim.kernels.sensitivity import *;"
        "g = 1e-4 * np.random.default_rng(0).random((2, 6, 5)); out = g.copy();"
        "lines = [np.full(n, x) for n in (6, 5) for x in (100.0, 30.0, 1e-3)];"
        "weigh_noise(g, *lines, 0.5, 0, 2, np.empty(WEIGHT_PLANES * 30), out, out.copy()); print(out.tobytes().hex())"
    )
    compiled, plain = (np.frombuffer(bytes.fromhex(out)) for out in compiled_and_plain(code))
    assert compiled.size == 60
    assert_allclose(compiled, plain, rtol=1e-13)

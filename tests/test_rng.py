"""Streams by name: repeatable, independent, and never shifted by others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import stats

from rramsim.rng import Streams, as_streams

NAMES = st.lists(
    st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), min_size=1, max_size=5), max_size=4
)


def draw(streams, *names, n=8):
    return streams.generator(*names).random(n)


@given(st.integers(0, 2**64), NAMES, NAMES)
def test_name_and_seed_are_all_that_counts(seed, one, other):
    assert_array_equal(draw(Streams(seed), *one), draw(Streams(seed), *one))
    assert_array_equal(draw(Streams(seed).child(*one), *other), draw(Streams(seed), *one, *other))
    assert (draw(Streams(seed), *one) == draw(Streams(seed), *other)).all() == (one == other)
    assert (draw(Streams(seed), *one) != draw(Streams(seed + 1), *one)).any()


def test_names_do_not_run_together():
    streams = Streams(1)
    draws = [draw(streams, *names) for names in [("ab", "c"), ("a", "bc"), ("abc",), ("a", "b", "c"), ("c", "ab"), ()]]
    assert len({tuple(each) for each in draws}) == len(draws)


def test_numbers_are_names_too():
    assert_array_equal(draw(Streams(1), "tile", 3), draw(Streams(1), "tile", "3"))


def test_golden():
    """The numbers of a name are part of what a study promises: they change with no release."""
    assert_array_equal(Streams(2024).generator("layer0", "tile", 3).integers(0, 1000, 5), [341, 775, 720, 2, 741])


def test_streams_are_independent():
    """10 000 numbers each of 20 neighbouring names and seeds: uniform and uncorrelated, false alarm 1e-3 in all."""
    draws = [draw(Streams(0), k, n=10000) for k in range(10)] + [draw(Streams(k), "a", n=10000) for k in range(10)]
    assert min(stats.kstest(each, "uniform").pvalue for each in draws) > 1e-5
    correlation = np.corrcoef(draws) - np.eye(20)
    assert np.abs(correlation).max() < 5 / np.sqrt(10000)


def test_as_streams():
    streams = Streams(3, ("a",))
    assert as_streams(streams) is streams
    assert_array_equal(draw(as_streams(3), "a"), draw(Streams(3), "a"))
    generator = np.random.default_rng(0)
    one, other = as_streams(generator), as_streams(generator)
    assert one.seed != other.seed
    assert as_streams(np.random.default_rng(0)).seed == one.seed
    with pytest.raises((TypeError, ValueError)):
        as_streams("seed")

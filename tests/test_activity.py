"""Counts that add and scale."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramsim.activity import Activity, Inventory, Result

KINDS = st.sampled_from([Activity, Inventory])
NAMES = st.sampled_from(["adc_8b", "dac_1b", "adder"])
TABLES = st.dictionaries(st.tuples(st.sampled_from(["", "a", "b"]), NAMES), st.integers(1, 10**12))


def counts_of(kind, table):
    return kind.from_rows((*place, count) for place, count in table.items())


@given(KINDS, TABLES, TABLES, TABLES)
def test_sums(kind, one, two, three):
    a, b, c = counts_of(kind, one), counts_of(kind, two), counts_of(kind, three)
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert a + kind() == a
    for name in ("adc_8b", "dac_1b", "adder"):
        assert (a + b).total(name) == a.total(name) + b.total(name)
        assert a.within("x").total(name) == a.total(name)


@given(KINDS, TABLES, st.integers(1, 1000))
def test_multiples(kind, table, factor):
    one = counts_of(kind, table)
    many = kind()
    for _ in range(factor % 5 + 1):
        many += one
    assert many == one * (factor % 5 + 1)
    assert list((one * factor).rows()) == [(block, name, count * factor) for block, name, count in one.rows()]


@given(KINDS, TABLES)
def test_rows_are_sorted_and_go_back(kind, table):
    one = counts_of(kind, table)
    rows = list(one.rows())
    assert rows == sorted(rows)
    assert kind.from_rows(rows) == one
    assert {(block, name): count for block, name, count in rows} == table


def test_blocks():
    total = Activity({"adc_8b": 3}).within("a") + Activity({"adc_8b": 4, "adder": 1}).within("b")
    assert list(total.rows()) == [("a", "adc_8b", 3), ("b", "adc_8b", 4), ("b", "adder", 1)]
    assert list(total.within("c").rows()) == [("c", "adc_8b", 7), ("c", "adder", 1)]
    assert total.total("adc_8b") == 7
    assert total.total("divider") == 0


def test_zeros_leave_no_row():
    assert Activity({"adc_8b": 0}) == Activity()


def test_kinds_do_not_mix():
    assert Activity({"adder": 1}) != Inventory({"adder": 1})
    assert Activity() != {}
    assert isinstance(Inventory({"adder": 1}) * 2, Inventory)


def test_a_sum_changes_neither_part():
    one, other = Activity({"adder": 1}), Activity({"adder": 2})
    total = one
    total += other
    assert (one.total("adder"), other.total("adder"), total.total("adder")) == (1, 2, 3)


def test_not_hashable():
    with pytest.raises(TypeError):
        hash(Activity())


def test_repr():
    assert repr(Activity({"adder": 2}).within("a")) == "Activity(a/adder: 2)"


def test_result():
    result = Result(np.zeros(2), Activity())
    assert result.errors == {}
    with pytest.raises(AttributeError):
        result.values = np.ones(2)

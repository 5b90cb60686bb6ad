"""What all digital softmax units share: masks, shapes, types, signals, errors, and the account."""

import numpy as np
import pytest
from helpers.digital_softmax import CODED, FORMAT, UNITS, counts
from helpers.softmax import watch
from numpy.testing import assert_array_equal

from rramsim.cost.components import load_components
from rramsim.engine.softmax.digital.base2_lut import Base2LutSoftmaxSpec
from rramsim.engine.softmax.digital.fixed_point import FixedPointSoftmaxSpec
from rramsim.engine.softmax.digital.hybrid import HybridSoftmaxSpec
from rramsim.engine.softmax.digital.ibert import IBertSoftmaxSpec
from rramsim.engine.softmax.digital.softermax import SoftermaxSpec
from rramsim.errors import SpecError

each = pytest.mark.parametrize("name", sorted(UNITS))
each_coded = pytest.mark.parametrize("name", sorted(CODED))


class TestInterface:
    @each
    def test_masked_scores_get_nothing(self, name):
        engine, rng = UNITS[name].program(), np.random.default_rng(0)
        scores = rng.normal(scale=2, size=(2, 4, 10))
        mask = rng.random((4, 10)) < 0.7
        mask[1] = False
        values = engine(scores, mask=mask)
        assert not values[:, ~mask].any()
        assert not values[:, 1].any()
        assert_array_equal(values, engine(np.where(mask, scores, -np.inf)))
        assert_array_equal(engine(np.where(mask, scores, 99.0), mask=mask), values)
        assert (values.sum(axis=-1)[:, [0, 2, 3]] > 0.8).all()

    @each
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_shape_and_dtype_stay(self, name, dtype):
        engine = UNITS[name].program()
        for shape in [(1,), (7,), (2, 3, 4), (0, 5)]:
            values = engine(np.zeros(shape, dtype=dtype))
            assert (values.shape, values.dtype) == (shape, dtype)
        assert engine([1, 2]).dtype == np.float64

    @each
    def test_one_score_gets_nearly_everything(self, name):
        assert UNITS[name].program()([[1.3]])[0, 0] == pytest.approx(1, abs=0.07)

    @each
    def test_nothing_is_left_to_chance(self, name):
        spec, scores = UNITS[name], np.random.default_rng(0).normal(size=(3, 5))
        assert_array_equal(
            spec.program(rng=1)(scores, rng=2), spec.program(rng=3)(scores, rng=np.random.default_rng(4))
        )
        assert spec.program().write_errors == {}

    @each
    def test_probe(self, name):
        scores = np.random.default_rng(0).normal(size=(2, 3, 5))
        engine = UNITS[name].program()
        done, signals = watch(engine, scores)
        shapes = {signal: values.shape for signal, values in signals.items()}
        expected = {"exponential": (6, 5), "sum": (6,), "probability": (6, 5)}
        assert shapes == (expected if name == "float" else {"score_code": (6, 5), **expected})
        assert_array_equal(signals["probability"].reshape(scores.shape), done.values)
        assert_array_equal(engine(scores), done.values)

    @each_coded
    def test_saturation_is_counted(self, name):
        """From -16 to 15.875; what takes no part is not counted."""
        scores = np.array([[-16.0, 15.875, 15.9, -17.0, 1e308, -np.inf, 40.0]])
        mask = np.array([True] * 6 + [False])
        assert UNITS[name].program().apply(scores, mask=mask).errors["score_saturation"] == 3

    @each
    @pytest.mark.parametrize(
        ("scores", "says"),
        [
            ([1.0, np.nan], "1 of 2 scores are nan or plus infinity"),
            ([1.0, np.inf], "1 of 2 scores"),
            (3.0, r"shape \(\)"),
            (np.zeros((3, 0)), r"shape \(3, 0\)"),
            ([1j, 2.0], "complex128"),
            (["a"], "numbers"),
            ([[1.0], [1.0, 2.0]], "unequal"),
            ([True, False], "bool"),
        ],
    )
    def test_wrong_scores_are_refused(self, name, scores, says):
        with pytest.raises(SpecError, match=says) as caught:
            UNITS[name].program()(scores)
        assert len(str(caught.value).splitlines()) == 1

    @pytest.mark.parametrize(
        ("spec", "wrong"),
        [
            (FixedPointSoftmaxSpec, {"lut_bits": 17}),
            (SoftermaxSpec, {"lanes": 0}),
            (IBertSoftmaxSpec, {"output_bits": 1}),
            (HybridSoftmaxSpec, {"guard_bits": 5}),
            (Base2LutSoftmaxSpec, {"index_bits": -1}),
        ],
    )
    def test_wrong_keys_say_what_they_mean(self, spec, wrong):
        with pytest.raises(SpecError, match=rf"{next(iter(wrong))}: got .*; it is at (least|most) .*\. [A-Z2]"):
            spec(format=FORMAT, **wrong)


class TestAccounting:
    @each
    def test_names_are_of_the_cost_table(self, name):
        table, engine = load_components(), UNITS[name].program()
        used, built = counts(engine.apply(np.zeros((1, 8))).activity).keys(), counts(engine.inventory).keys()
        assert used == built
        assert built <= table.components.keys()
        assert set(engine.turns(8)) <= built

    @each
    def test_activity_is_a_part_by_score_and_a_part_by_vector(self, name):
        engine = UNITS[name].program()

        def uses(n_vectors, length, mask=None):
            return counts(engine.apply(np.zeros((n_vectors, length)), mask=mask).activity)

        one, two, three = uses(1, 16), uses(1, 32), uses(1, 48)
        assert three == pytest.approx({component: 2 * two[component] - one[component] for component in one})
        assert uses(5, 16) == pytest.approx({component: 5 * count for component, count in one.items()})
        # What takes no part costs nothing, nor does a vector of which nothing does.
        mask = np.zeros((3, 32), dtype=bool)
        mask[0, ::2] = True
        assert uses(3, 32, mask) == pytest.approx(one)
        assert uses(3, 32, np.zeros(32, dtype=bool)) == {}

    @each
    def test_longer_vectors_take_longer(self, name):
        engine = UNITS[name].program()
        short, long = engine.turns(16), engine.turns(160)
        assert sum(long.values()) > sum(short.values())
        assert all(isinstance(uses, int) and 0 <= short[component] <= uses for component, uses in long.items())

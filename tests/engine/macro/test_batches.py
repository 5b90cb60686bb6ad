"""Batches of vectors: in pieces, without vectors, and matrices of a stack in any order."""

import numpy as np
import pytest
from helpers.macros import NOISY, PATHS, TILES, WIRES, problem
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.engine.macro.design import MacroRanges
from rramsim.engine.macro.programming import MacroSpec


class TestBatches:
    @pytest.mark.parametrize("path", PATHS)
    def test_no_vectors(self, path):
        x, w = problem()
        macro = MacroSpec(**{"device": NOISY, **TILES, **PATHS[path]}).program(w, rng=0)
        done = macro.apply(x[:0], rng=0)
        assert done.values.shape == (0, 4)
        assert not any(done.errors.values())

    def test_matrices_of_a_stack_in_any_order(self):
        rng = np.random.default_rng(0)
        x, w = rng.normal(size=(3, 4, 20)), rng.normal(size=(3, 20, 6))
        spec = MacroSpec(adc=SarAdcSpec(bits=6), tile_rows=8)
        ranges = MacroRanges(weights=np.abs(w).max())
        forward, back = (
            spec.program(w, ranges=ranges, rng=0)(x, rng=0),
            spec.program(w[::-1], ranges=ranges, rng=0)(x[::-1], rng=0),
        )
        assert_array_equal(forward, back[::-1])


class TestPieces:
    @pytest.mark.parametrize("path", PATHS)
    def test_of_a_batch(self, path):
        """Pieces of any length have the noise of the whole; sums in double precision may differ in their last bit."""
        x, w = problem()
        macro = MacroSpec(**{"device": NOISY, "wires": WIRES, **TILES, **PATHS[path]}).program(w, rng=0)
        whole = macro.apply(x, rng=5)
        pieces = [macro.apply(x[a:b], first_vector=a, rng=5).values for a, b in ((0, 1), (1, 9), (9, 23))]
        assert_allclose(np.concatenate(pieces), whole.values, rtol=0, atol=0 if macro.spec.adc else 1e-13)
        assert (macro.apply(x, first_vector=1, rng=5).values != whole.values).any()

    @pytest.mark.parametrize("path", ["fused", "ideal converter"])
    def test_of_stacked_matrices(self, path):
        x, w = problem()
        stacked = np.stack([w, -w])
        macro = MacroSpec(**{"device": NOISY, **TILES, **PATHS[path]}).program(stacked, rng=0)
        whole = macro(x, rng=5)
        pieces = [macro.apply(x[a:b], first_vector=a, rng=5).values for a, b in ((0, 9), (9, 23))]
        assert_allclose(np.concatenate(pieces, axis=-2), whole, rtol=0, atol=0 if macro.spec.adc else 1e-13)

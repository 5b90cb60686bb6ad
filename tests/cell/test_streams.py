"""Random numbers by name: a cell's own errors do not depend on who else is written, in which order, or by how many."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import rramsim as rs
from rramsim.cell.device import DeviceSpec
from rramsim.cell.spread import GaussianSpreadSpec
from rramsim.engine.chip import ChipSpec
from rramsim.engine.macro.programming import MacroRanges, MacroSpec
from rramsim.rng import Streams

OF_CELL = DeviceSpec(g_min_siemens=1e-5, device_to_device={"spread_siemens": 1e-6})
"""Cells with nothing but errors of their own; their window begins ten deviations above 0."""
BOTH = OF_CELL.but({"programming": GaussianSpreadSpec(spread_siemens=5e-7)})
SMALL = MacroSpec(device=OF_CELL, tile_rows=8, tile_columns=16)


def weights(n_in, n_out, seed=0):
    return np.random.default_rng(seed).normal(size=(n_in, n_out))


def tiles(macro):
    """(row, column, cells) of each tile."""
    return [(r, c, tile.array.cells) for r, row in enumerate(macro.rows) for c, tile in enumerate(row.tiles)]


class TestChips:
    MATRICES = {"first": weights(20, 6), "second": weights(12, 4, 1)}  # noqa: RUF012  (nobody changes it)

    def test_another_layer_changes_no_cell(self):
        """Nor does the order in which layers are written."""
        spec = ChipSpec(macro=SMALL)
        few = spec.program(self.MATRICES, {}, {}, rng=1)
        more = {"zeroth": weights(30, 9, 2), **dict(reversed(self.MATRICES.items())), "last": weights(5, 5, 3)}
        many = spec.program(more, {}, {}, rng=1)
        for name in self.MATRICES:
            assert len(tiles(few.macros[name])) > 1
            for (_, _, one), (_, _, other) in zip(tiles(few.macros[name]), tiles(many.macros[name]), strict=True):
                assert_array_equal(one.g, other.g)

    def test_every_layer_has_errors_of_its_own(self):
        matrix = weights(8, 2)
        chip = ChipSpec(macro=SMALL).program({"a": matrix, "b": matrix}, {}, {}, rng=1)
        one, other = (tiles(chip.macros[name])[0][2].g for name in "ab")
        assert (one != other).mean() > 0.9


class TestTiles:
    def test_tiles_are_found_by_name(self):
        """Written alone, in reverse order, each tile has the bits that it has in the macro."""
        macro = SMALL.program(weights(20, 6), rng=7)
        ideal = SMALL.but({"device": OF_CELL.without_errors}).program(weights(20, 6), rng=0)
        targets = {(r, c): cells.g for r, c, cells in tiles(ideal)}
        assert len(targets) == 9
        for r, c, cells in reversed(tiles(macro)):
            alone = OF_CELL.program(targets[r, c], rng=Streams(7).child("tile", r, c))
            assert_array_equal(cells.g, alone.g)
        errors = [cells.g - targets[r, c] for r, c, cells in tiles(macro) if targets[r, c].shape == (8, 16)]
        assert (errors[0] != errors[1]).mean() > 0.9

    def test_more_tiles_keep_the_old_ones(self):
        """A taller matrix has more tiles; the first ones are the same cells."""
        w = weights(24, 4)
        largest = MacroRanges(weights=float(np.abs(w).max()))
        short, tall = SMALL.program(w[:8], ranges=largest, rng=7), SMALL.program(w, ranges=largest, rng=7)
        assert len(tiles(tall)) == 3 * len(tiles(short))
        for (_, _, one), (_, _, other) in zip(tiles(short), tiles(tall)[: len(tiles(short))], strict=True):
            assert_array_equal(one.g, other.g)

    def test_a_rewritten_macro_keeps_its_cells(self):
        """Matrices written one after another into the same tiles: equal targets give equal errors."""
        w = np.repeat(weights(20, 6)[None], 3, axis=0)
        macro = SMALL.program(w, cell_rng=8, rng=7)
        for _, _, cells in tiles(macro):
            assert_array_equal(cells.g[0], cells.g[1])
        again = SMALL.program(w[:1], cell_rng=8, rng=9)
        for (_, _, one), (_, _, other) in zip(tiles(macro), tiles(again), strict=True):
            assert_array_equal(one.g[:1], other.g)
        # With errors of the write as well, they differ from write to write.
        scattered = SMALL.but({"device": BOTH}).program(w, cell_rng=8, rng=7)
        for _, _, cells in tiles(scattered):
            assert (cells.g[0] != cells.g[1]).mean() > 0.9


class TestRewriting:
    def test_own_errors_stay_and_those_of_the_write_do_not(self):
        """What a write adds to the cell's own error is that of the same streams without rewriting."""
        target = np.full((4, 50, 60), 5e-5)
        both, of_cell = BOTH.program(target, cell_rng=2, rng=1).g, OF_CELL.program(target, cell_rng=2, rng=1).g
        assert_array_equal(of_cell[0], of_cell[3])
        fresh = DeviceSpec(g_min_siemens=1e-5, programming=BOTH.programming).program(target, rng=1).g - target
        assert_allclose(both, of_cell + fresh, atol=1e-18)

    def test_another_write_another_error(self):
        """Correlation of two writes of a cell: 1 / (1 + 1 / 4) of its variances; |z| < 4.5, false alarm 7e-6."""
        n = 20000
        first, second = (BOTH.program(np.full((1, n), 5e-5), cell_rng=2, rng=seed).g[0] for seed in (1, 3))
        r = np.corrcoef(first, second)[0, 1]
        assert abs(np.arctanh(r) - np.arctanh(0.8)) < 4.5 / np.sqrt(n - 3)
        other = BOTH.program(np.full((1, n), 5e-5), cell_rng=4, rng=1).g[0]
        assert abs(np.corrcoef(first, other)[0, 1] - 0.2) < 4.5 / np.sqrt(n)  # only the write is the same

    def test_all_that_belongs_to_the_cell(self):
        """Faults, traps, lifetimes and steps stay; exponents and relaxation are those of a write."""
        spec = DeviceSpec(
            stuck={"on_fraction": 0.1},
            endurance={"writes": 10.0, "writes_log": 1.0},
            telegraph={"trap_share": 0.5, "amplitude": 0.1, "amplitude_log": 0.5},
            drift={"exponent_spread": 0.1},
            relaxation={"spread_siemens": 1e-7},
        )
        cells = spec.program(np.full((2, 500), 5e-5), writes_before=4, cell_rng=2, rng=1)
        again = spec.program(np.full((1, 500), 5e-5), writes_before=4, cell_rng=2, rng=3)
        for name in ("held", "trap"):
            drawn_once = getattr(cells, name)
            assert_array_equal(drawn_once[0], drawn_once[1])
            assert_array_equal(drawn_once[0], getattr(again, name)[0])
            assert np.unique(drawn_once).size > 1
        for name in ("wander", "exponent"):
            drawn = getattr(cells, name)
            assert (drawn[0] != drawn[1]).all()
            assert (drawn[0] != getattr(again, name)[0]).all()


@pytest.fixture(scope="module")
def study():
    """Every part that draws, in a study as small as can be."""
    return rs.load_study(
        settings=[
            "workload.samples=2",
            "workload.calibration_samples=2",
            "probe_samples=0",
            "trials=1",
            "macro.input_bits=2",
            "device.device_to_device.spread_siemens=[5e-7]",
            "device.telegraph.trap_share=0.1",
            "device.telegraph.amplitude=0.1",
            "device.drift.exponent_spread=0.01",
            "device.read_after_second=100.0",
            *(f"wires.{line}_ohm=0" for line in ("word_line", "bit_line", "driver", "sense")),
        ]
    )


@pytest.mark.slow
def test_the_number_of_workers_changes_no_bit(study, tmp_path):
    """A study of devices with errors of their own, traps and drift, by one process and by two."""
    traces = []
    for workers in (1, 2):
        with rs.open_trace(rs.run(study, tmp_path / f"{workers}.h5", workers=workers)) as trace:
            traces.append({name: trace[name] for name, _, _ in trace.datasets()})
    one, other = traces
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert_array_equal(values, other[name], err_msg=name)
    # The errors are there.
    kl = dict(zip(one["points/variant"], one["points/attention_kl"], strict=True))
    assert len({kl[name] for name in ("fixed_point", "programming", "retention", "read_noise", "all")}) == 5

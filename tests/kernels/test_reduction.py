"""Terminal reduction against star-mesh transformations of one node after another: tiles, merges, whole arrays."""

import itertools

import numpy as np
import pytest
from helpers.compiled import COMPILED, too_slow_in_python
from helpers.sizes import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import reduction as oracle
from reference.kernels import ORACLES

from rramsim.array.reduction import transconductances
from rramsim.array.reduction_plan import inner_merges, port_orders
from rramsim.array.wires import WireSpec
from rramsim.kernels.reduction import HUGE, LANES, TILE, merge_blocks, reduce_tiles

RTOL = {np.float64: 2e-14, np.float32: 1e-5}
"""Error of every single weight, small or large: nothing is ever subtracted."""
PORTS = 4 * TILE
WEIGHTS = PORTS * (PORTS - 1) // 2


def random_cells(shape, seed=0, open_share=0.2, decades=4):
    """Conductances relative to the largest, as in the kernels."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(shape) < open_share, 0.0, 10.0 ** rng.uniform(-decades, 0, shape))


def random_wires(shape, seed=1, ideal_share=0.0):
    """Conductances of the wires left of the cells and below them; some without resistance."""
    rng = np.random.default_rng(seed)

    def wires(n):
        return np.where(rng.random(n) < ideal_share, HUGE, 10.0 ** rng.uniform(-1, 4, n))

    return tuple(wires(n) for n in (shape[0], shape[0], shape[1], shape[1]))


class TestTiles:
    @staticmethod
    def reduced(g, wires, dtype=np.float64, order="LRTB", start=0, stop=None):
        """Dense graphs (n_tiles, 32, 32) between the ports in the given order, from arrays full of nan."""
        down, across = (-(-n // TILE) for n in g.shape)
        n_tiles = down * across
        stop = n_tiles if stop is None else stop
        corners, merges, maps, size = inner_merges()
        names, orders = port_orders()
        order_of_tile = np.full(n_tiles, names.index(order))
        lanes = np.full(LANES * (size + 45 * TILE * TILE), np.nan, dtype=dtype)
        tiles = np.full(n_tiles * WEIGHTS, np.nan, dtype=dtype)
        lines = [x.astype(dtype) for x in (g, *wires)]
        reduce_tiles(*lines, corners, merges, maps, size, orders, order_of_tile, start, stop, lanes, tiles)
        graphs = np.zeros((n_tiles, PORTS, PORTS), dtype=dtype)
        upper = np.triu_indices(PORTS, 1)
        graphs[:, *upper] = tiles.reshape(n_tiles, WEIGHTS)
        return graphs + graphs.swapaxes(1, 2)

    @staticmethod
    def expected(g, wires, down, across):
        """The graph of one tile, and which of its ports belong to lines of the array.

        The array is filled up on top and to the right, where its lines go on without resistance.
        """
        n_rows, n_columns = g.shape
        rows, columns = -(-n_rows // TILE) * TILE, -(-n_columns // TILE) * TILE
        row, column = slice(rows - n_rows, None), slice(None, n_columns)
        cells, along, below = np.zeros((3, rows, columns))
        cells[row, column] = g
        along[row] = HUGE
        along[row, column], along[row, 0] = wires[0][:, None], wires[1]
        below[:, column] = HUGE
        below[row, column], below[-1, column] = wires[2], wires[3]
        here = np.s_[down * TILE : (down + 1) * TILE, across * TILE : (across + 1) * TILE]
        there = (along[here] > 0).any(axis=1), (below[here] > 0).any(axis=0)
        ports = np.flatnonzero(np.concatenate([there[0], there[0], there[1], there[1]]))
        return ORACLES[reduce_tiles](cells[here], along[here], below[here]), ports

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("shape", [(8, 8), (1, 1), (5, 7), (8, 3), (2, 8), (11, 17)])
    @pytest.mark.parametrize("ideal_share", [0.0, 0.4, 1.0])
    def test_against_the_oracle(self, shape, dtype, ideal_share):
        g, wires = random_cells(shape), random_wires(shape, ideal_share=ideal_share)
        graphs = iter(self.reduced(g, wires, dtype))
        for place in itertools.product(*(range(-(-n // TILE)) for n in shape)):
            expected, ports = self.expected(g, wires, *place)
            graph, expected = (x[np.ix_(ports, ports)].astype(float) for x in (next(graphs), expected))
            # Whatever is left of a path beside a wire without resistance.
            assert_allclose(graph, expected, rtol=RTOL[dtype], atol=1e-25)
            assert (graph >= 0).all()

    def test_dense_schur_complement(self):
        """The Laplacian between the ports after the rest is eliminated from that of the tile."""
        g, (left, _, below, _) = random_cells((8, 8), decades=1), random_wires((8, 8))
        a, b = np.arange(64).reshape(8, 8), 64 + np.arange(64).reshape(8, 8)
        sources, grounds = 128 + np.arange(8), 136 + np.arange(8)
        laplacian = np.zeros((144, 144))
        word, bit = np.column_stack([sources, a]), np.vstack([b, grounds])
        for one, other, siemens in (
            (word[:, :-1], word[:, 1:], left[:, None]),
            (bit[:-1], bit[1:], below),
            (a, b, g),
        ):
            pairs = np.stack([one.ravel(), other.ravel()], axis=1)
            for (k, m), weight in zip(pairs, np.broadcast_to(siemens, one.shape).ravel(), strict=True):
                laplacian[np.ix_((k, m), (k, m))] += weight * np.array([[1, -1], [-1, 1]])
        ports = np.concatenate([sources, a[:, -1], b[0], grounds])
        rest = np.setdiff1d(np.arange(144), ports)
        coupling = laplacian[np.ix_(ports, rest)]
        inner = np.linalg.solve(laplacian[np.ix_(rest, rest)], coupling.T)
        schur = laplacian[np.ix_(ports, ports)] - coupling @ inner
        (graph,) = self.reduced(g, (left, left, below, below))
        np.fill_diagonal(graph, -graph.sum(axis=1))
        assert_allclose(-graph, schur, rtol=0, atol=1e-12 * np.abs(schur).max())

    def test_the_order_of_the_ports(self):
        g, wires = random_cells((8, 8)), random_wires((8, 8))
        (known,) = self.reduced(g, wires)
        for order in port_orders()[0]:
            ports = np.concatenate([TILE * "LRTB".index(name) + np.arange(TILE) for name in order])
            (reordered,) = self.reduced(g, wires, order=order)
            assert_array_equal(reordered, known[np.ix_(ports, ports)])

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("shape", [(13, 20), pytest.param((44, 56), marks=too_slow_in_python)])
    def test_the_bits_do_not_depend_on_the_companions(self, shape, dtype):
        """Up to 32 tiles are reduced side by side."""
        g, wires = random_cells(shape), random_wires(shape, ideal_share=0.2)
        together = self.reduced(g, wires, dtype)
        n_tiles = len(together)
        for part in (1, 4, 33):
            for start in range(0, n_tiles, part):
                stop = min(start + part, n_tiles)
                assert_array_equal(
                    self.reduced(g, wires, dtype, start=start, stop=stop)[start:stop], together[start:stop]
                )


def packed(graph, dtype):
    """The upper triangle, row by row."""
    return graph[np.triu_indices(len(graph), 1)].astype(dtype)


def random_graph(n, seed, density=0.7):
    """Symmetric weights of different sizes, some 0."""
    rng = np.random.default_rng(seed)
    weights = np.triu(10.0 ** rng.uniform(-4, 0, (n, n)) * (rng.random((n, n)) < density), 1)
    return weights + weights.T


class TestMerges:
    """One merge at a time; the plan of whole arrays is tested by their transconductances."""

    PLACE = 24
    """Where the graph stands in the work array, behind something that must stay as it is."""

    def merged(self, n, n_shared, first_ground, first_source, children, dtype=np.float64, far=(), top=()):
        """The dense graph after one merge. ``children``: (dense graph, kind, runs), at most two."""
        stride = 8 * ((n + 7) // 8 | 1)
        place = self.PLACE + n * stride
        op = [self.PLACE, n, stride, n_shared, first_ground, first_source]
        blocks, tiles = [np.full(place, np.nan)], [np.full(5, np.nan)]
        for graph, kind, runs in children:
            if kind == 0:
                op += [0, sum(map(len, tiles)), 0]
                tiles.append(packed(graph, dtype))
            else:
                # Only the upper triangle of a block is ever written.
                rows = np.full((len(graph), len(graph) + 3), np.nan)
                rows[:, : len(graph)][np.triu_indices(len(graph), 1)] = packed(graph, np.float64)
                op += [kind, sum(map(len, blocks)), len(graph) + 3]
                blocks.append(rows.ravel())
            op += list(itertools.chain(*runs, *[(0, 0, 0)] * (4 - len(runs))))
        op += [-1] + [0] * 14 if len(children) == 1 else []
        assert len(op) == 36
        work, ops = np.concatenate(blocks).astype(dtype), np.array([op, op])
        before = work.copy()
        ends = np.array(far, dtype=dtype), np.array(top, dtype=dtype)
        merge_blocks(ops, 1, 2, np.concatenate(tiles).astype(dtype), *ends, work)
        block = slice(self.PLACE, place)
        graph = work[block].reshape(n, stride)[:, :n].copy()
        work[block] = before[block] = 0
        assert_array_equal(work, before)
        return graph

    @staticmethod
    def expected(n, n_shared, children, extra=()):
        """The sum of the children in the places of the parent, without the shared nodes."""
        total = np.zeros((n, n))
        for graph, _, runs in children:
            here = np.concatenate([np.arange(start, start + length) for start, length, _ in runs])
            there = np.concatenate([np.arange(to, to + length) for _, length, to in runs])
            total[np.ix_(there, there)] += graph[np.ix_(here, here)]
        for one, other, weight in extra:
            total[one, other] += weight
            total[other, one] += weight
        return ORACLES[merge_blocks](total, range(n_shared)).astype(float)

    @staticmethod
    def assert_ports(graph, expected, n_shared, first_ground, first_source, rtol=RTOL[np.float64]):
        """What is left, and matters: no current flows among grounds, or among sources."""
        n = len(graph)
        p, q = np.triu_indices(n, 1)
        there = (p >= n_shared) & ((p < first_ground) | ((p < first_source) & (q >= first_source)))
        assert_allclose(graph[p[there], q[there]], expected[p[there], q[there]], rtol=rtol, atol=0)
        assert (graph[p[there], q[there]] >= 0).all()

    @pytest.mark.thinned(3)
    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize(
        ("n_shared", "first_ground", "first_source", "n"),
        [
            (8, 40, 40, 40),
            (8, 24, 32, 40),
            (3, 40, 40, 45),
            (1, 1, 30, 41),
            (0, 20, 30, 40),
            (31, 50, 61, 70),
            (33, 40, 60, 75),
            (70, 75, 75, 90),
            pytest.param(40, 300, 500, 700, marks=too_slow_in_python),
            pytest.param(257, 600, 601, 602, marks=too_slow_in_python),
        ],
    )
    def test_one_block(self, n_shared, first_ground, first_source, n, dtype):
        """A block that loses nodes: none, a few, more than are eliminated at a time."""
        children = [(random_graph(n, seed=n), 1, [(0, n, 0)])]
        graph = self.merged(n, n_shared, first_ground, first_source, children, dtype)
        expected = self.expected(n, n_shared, children)
        self.assert_ports(graph, expected, n_shared, first_ground, first_source, RTOL[dtype])

    @pytest.mark.parametrize("dtype", [np.float64, np.float32])
    @pytest.mark.parametrize("kinds", [(0, 0), (1, 1), (0, 1)])
    def test_two_neighbours(self, kinds, dtype):
        """Both share some nodes; the ports of each are strewn over four runs, the grounds and the sources last."""
        # Shared [0, 8); of the first [8, 16) and of the second [16, 26); grounds [26, 38); sources [38, 48).
        first = (random_graph(32, 1), kinds[0], [(0, 8, 0), (8, 8, 8), (16, 6, 26), (24, 8, 40)])
        second = (random_graph(32, 2), kinds[1], [(0, 8, 0), (8, 10, 16), (19, 6, 32), (25, 2, 38)])
        graph = self.merged(48, 8, 26, 38, [first, second], dtype)
        self.assert_ports(graph, self.expected(48, 8, [first, second]), 8, 26, 38, RTOL[dtype])

    def test_weights_that_are_left_out_reach_nothing(self):
        """Among grounds, or among sources."""
        graph = random_graph(40, 3)
        other = graph.copy()
        for ends in (slice(20, 30), slice(30, 40)):
            other[ends, ends] = 0
        with_all, without = (self.merged(40, 6, 20, 30, [(g, 1, [(0, 40, 0)])]) for g in (graph, other))
        self.assert_ports(with_all, without, 6, 20, 30)

    @pytest.mark.parametrize(("n_far", "n_top"), [(5, 4), (5, 0), (0, 4), (0, 0)])
    def test_second_terminals_close_the_last_graph(self, n_far, n_top):
        n_columns, n_rows = 4, 5
        first_ground = n_far + n_top
        n = first_ground + n_columns + n_rows
        first_source = first_ground + n_columns
        graph, rng = random_graph(n, 4), np.random.default_rng(0)
        far, top = 10.0 ** rng.uniform(-2, 2, n_far), 10.0 ** rng.uniform(-2, 2, n_top)
        extra = [(i, first_source + i, far[i]) for i in range(n_far)]
        extra += [(n_far + j, first_ground + j, top[j]) for j in range(n_top)]
        sizes = (first_ground, first_ground, first_source)
        runs = [(0, first_ground, 0), (first_ground, n_columns, first_ground), (first_source, n_rows, first_source)]
        children = [(graph, 2, runs)]
        closed = self.merged(n, *sizes, children, far=far, top=top)
        self.assert_ports(closed, self.expected(n, first_ground, children, extra), *sizes)

    def test_a_node_without_neighbours(self):
        graph = random_graph(12, 5)
        graph[2] = graph[:, 2] = 0
        children = [(graph, 1, [(0, 12, 0)])]
        self.assert_ports(self.merged(12, 4, 12, 12, children), self.expected(12, 4, children), 4, 12, 12)

    def test_two_nodes_by_hand(self):
        """A star of 1, 2, 3 and 4 siemens: 2 * 3 / 10 between two of its ends."""
        star = np.zeros((5, 5))
        star[0, 1:] = star[1:, 0] = [1, 2, 3, 4]
        mesh = self.merged(5, 1, 5, 5, [(star, 1, [(0, 5, 0)])])
        assert_allclose(mesh[np.triu_indices(5, 1)][4:], np.array([2, 3, 4, 6, 8, 12]) / 10, rtol=1e-15)


OHMS = ("word_line_ohm", "bit_line_ohm", "driver_ohm", "sense_ohm")


def expected_matrix(g, wires):
    """The matrix by star-mesh transformations, for lines driven at the near and sensed at the far end, or at both."""
    # A wire without resistance has far more than any cell, as in the kernels.
    word, bit, driver, sense = (
        1 / np.maximum(np.broadcast_to(getattr(wires, name), n).astype(np.longdouble), 1 / (HUGE * g.max()))
        for name, n in zip(OHMS, (*g.shape, *g.shape), strict=True)
    )
    along, down = np.zeros((2, *g.shape), dtype=np.longdouble)
    along[:], down[:] = word[:, None], bit
    along[:, 0], down[-1] = driver, sense
    far, top = driver * (wires.driver_end == "both"), sense * (wires.sense_end == "both")
    return oracle.transconductance(g, along, down, far, top).astype(float)


def random_spec(shape, seed=0, zeros=0.0, **ends):
    rng = np.random.default_rng(seed)
    counts = zip(OHMS, (*shape, *shape), strict=True)
    ohm = {name: np.where(rng.random(n) < zeros, 0, 10.0 ** rng.uniform(-1, 2.5, n)) for name, n in counts}
    return WireSpec(**{name: tuple(values.tolist()) for name, values in ohm.items()}, **ends)


BOTH = {"driver_end": "both", "sense_end": "both"}
SMALL = [(1, 1), (1, 9), (9, 1), (7, 8), (8, 8), (9, 8), (8, 9), (5, 17)]
"""Around the edges of a tile of 8 x 8."""
LARGE = [(16, 17), (33, 5), (3, 40), (24, 24)]


class TestArrays:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("shape", [*SMALL, *(pytest.param(shape, marks=too_slow_in_python) for shape in LARGE)])
    @pytest.mark.parametrize("ends", [{}, {"driver_end": "both"}, {"sense_end": "both"}, BOTH])
    @pytest.mark.parametrize("zeros", [0.0, 0.5])
    def test_against_the_oracle(self, shape, ends, zeros):
        """Entry by entry, so that small ones count as much as large ones."""
        for dtype, rtol in RTOL.items():
            g = 1e-3 * random_cells(shape, seed=shape[0])
            t = transconductances(g, random_spec(shape, shape[1], zeros, **ends), dtype=dtype)
            expected = expected_matrix(g, random_spec(shape, shape[1], zeros, **ends))
            assert t.dtype == dtype
            assert_allclose(t, expected, rtol=5 * rtol, atol=1e-30)

    @pytest.mark.parametrize("ends", [{}, BOTH])
    def test_single_precision_beside_wires_without_resistance(self, ends):
        g = 1e-3 * random_cells((9, 10), open_share=0.0)
        for present in itertools.product([0.0, 1.0], repeat=4):
            wires = WireSpec(**{name: 30.0 * there for name, there in zip(OHMS, present, strict=True)}, **ends)
            t = transconductances(g, wires, dtype=np.float32)
            assert_allclose(t, transconductances(g, wires), rtol=1e-5)

    @settings(max_examples=examples(100) if COMPILED else 15)
    @given(
        st.tuples(st.integers(1, 12), st.integers(1, 12)),
        st.integers(0, 2**32),
        st.sampled_from([0.0, 0.5, 0.9]),
        st.sampled_from([{}, {"driver_end": "both"}, {"sense_end": "near"}, BOTH]),
        st.sampled_from([1e-9, 1.0, 1e3]),
        st.sampled_from([np.float64, np.float32]),
    )
    def test_never_negative_and_never_more_than_the_cells(self, shape, seed, zeros, ends, scale, dtype):
        """The wires only take away from a line as a whole, and no current flows backwards."""
        g = scale * random_cells(shape, seed, open_share=zeros, decades=8)
        t = transconductances(g, random_spec(shape, seed, zeros, **ends), dtype=dtype)
        assert (t >= 0).all()
        for axis in (0, 1):
            assert (t.sum(axis=axis) <= g.sum(axis=axis) * (1 + RTOL[dtype])).all()

    def test_no_way_no_current(self):
        """Where all cells of a line are open nothing arrives, not even rounding errors."""
        g = 1e-3 * random_cells((10, 11), open_share=0.0)
        g[3], g[:, 5] = 0.0, 0.0
        t = transconductances(g, random_spec((10, 11), **BOTH))
        assert not t[3].any()
        assert not t[:, 5].any()
        assert np.delete(np.delete(t, 3, axis=0), 5, axis=1).all()

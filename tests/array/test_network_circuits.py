"""The network against independent circuit simulators, published circuits and a closed form.

Where ngspice or badcrossbar is missing its tests are skipped; with RRAMSIM_REQUIRE_PEERS=1 they fail instead.
"""

import json
import re
import warnings
from functools import partial
from importlib.util import find_spec
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from helpers.networks import random_cells
from helpers.peers import missing, run_ngspice
from numpy.testing import assert_allclose
from reference import network as oracle

import rramsim as rs
from rramsim.array.netlist import node_names

GOLDEN = json.loads((Path(oracle.__file__).parent / "qucs.json").read_text(encoding="utf-8"))["cases"]
LAWS = {
    "sinh": rs.SinhConductionSpec(sinh_volt=0.1),
    "cubic": rs.CubicConductionSpec(cubic_per_square_volt=8.0),
    "sinh behind a transistor": rs.SinhConductionSpec(sinh_volt=0.07, series_ohm=2e3),
    "linear behind a transistor": rs.LinearConductionSpec(series_ohm=5e3),
}


def random_wires(rng, n_rows, n_columns, inputs, zeros=0.0, **settings):
    """Different resistances for every line, some of them 0."""
    n_inputs, n_outputs = (n_rows, n_columns) if inputs == "rows" else (n_columns, n_rows)
    counts = {"word_line_ohm": n_rows, "bit_line_ohm": n_columns, "driver_ohm": n_inputs, "sense_ohm": n_outputs}
    ohm = {
        name: tuple(np.where(rng.random(count) < zeros, 0.0, 10.0 ** rng.uniform(0, 2.5, count)).tolist())
        for name, count in counts.items()
    }
    return rs.WireSpec(**ohm, **settings)


def partly_selected_drive(rng, n_inputs):
    """Voltages of both signs; about a third of the lines is not selected."""
    v = rng.uniform(-0.3, 0.3, n_inputs)
    v[rng.random(n_inputs) < 0.35] = 0.0
    v[0] = 0.25
    return v


@pytest.fixture
def ngspice(tmp_path):
    return partial(run_ngspice, folder=tmp_path)


def exported(run, net, v, selected=None):
    """Output currents, word and bit voltages of the package's own netlist; lines that are left out sit at 0 V."""
    printed = run(net.to_spice(v, selected=selected, print_nodes=True))
    names = node_names(net.g, net.wires, v, inputs=net.inputs, unselected=net.unselected, selected=selected)
    word, bit = (np.array([[printed[x] if x else 0.0 for x in row] for row in side.tolist()]) for side in names)
    return np.array([printed[f"i_{k}"] for k in range(net.n_outputs)]), word, bit


def check(net, v, simulated, selected=None, rtol=1e-6):
    """Package and oracle against simulated output currents and voltages: relative to each, and to the largest."""
    expected = net.solve(v, selected=selected)
    slow = oracle.solve(
        net.g,
        v,
        selected=selected,
        inputs=net.inputs,
        unselected=net.unselected,
        conduction=net.conduction,
        **net.wires.model_dump(),
    )
    for solution in (expected, slow):
        for one, other in zip((solution.currents, solution.word, solution.bit), simulated, strict=True):
            assert_allclose(one, other, rtol=rtol, atol=1e-9 * np.abs(other).max())
    return expected, slow


@pytest.mark.ngspice
class TestNgspice:
    @pytest.mark.thinned(5)
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    @pytest.mark.parametrize("unselected", ["grounded", "floating", "cut off"])
    @pytest.mark.parametrize(("driver_end", "sense_end"), list(product(["near", "far", "both"], repeat=2)))
    def test_exported_netlist(self, ngspice, inputs, unselected, driver_end, sense_end):
        rng = np.random.default_rng([ord(x[0]) for x in (inputs, unselected, driver_end, sense_end)])
        shape = tuple(int(n) for n in rng.integers(1, (13, 10)))
        wires = random_wires(
            rng,
            *shape,
            inputs,
            zeros=0.3,
            driver_end=driver_end,
            sense_end=sense_end,
            end_segments=bool(rng.random() < 0.5),
        )
        net = rs.Network(random_cells(shape, rng, open_share=0.2), wires, inputs=inputs, unselected=unselected)
        v = partly_selected_drive(rng, net.n_inputs)
        check(net, v, exported(ngspice, net, v))

    @pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (12, 9)])
    @pytest.mark.parametrize("law", LAWS)
    def test_exported_nonlinear_cells(self, ngspice, shape, law):
        rng = np.random.default_rng(len(law))
        net = rs.Network(random_cells(shape, rng), random_wires(rng, *shape, "rows"), conduction=LAWS[law])
        v = partly_selected_drive(rng, shape[0])
        check(net, v, exported(ngspice, net, v))

    def test_selected_lines(self, ngspice):
        rng = np.random.default_rng(7)
        selected = np.array([True, False, True, True, False])
        v = rng.uniform(0.1, 0.3, 5)
        for unselected in ("grounded", "floating", "cut off"):
            net = rs.Network(
                random_cells((5, 6), rng, open_share=0.2), random_wires(rng, 5, 6, "rows"), unselected=unselected
            )
            check(net, v, exported(ngspice, net, v, selected), selected)

    @pytest.mark.parametrize(
        ("options", "settings"),
        [
            ({}, {}),
            ({}, {"driver_end": "both", "sense_end": "both", "end_segments": True}),
            ({"inputs": "columns"}, {"driver_end": "far"}),
            ({"unselected": "floating"}, {"sense_end": "near"}),
            ({"conduction": LAWS["linear behind a transistor"]}, {"sense_end": "both"}),
        ],
    )
    @pytest.mark.parametrize("zeros", [0.0, 0.5])
    def test_delay(self, ngspice, options, settings, zeros):
        """The phase of a current I(s) = I(0) (1 - s T + ...) at a low frequency tells T."""
        rng = np.random.default_rng(len(options) + len(settings))
        farad = {"word_line_farad": 3e-15, "bit_line_farad": 2e-15, "cell_farad": 1e-15}
        inputs = options.get("inputs", "rows")
        wires = random_wires(rng, 6, 5, inputs, zeros=zeros, **settings, **farad)
        net = rs.Network(random_cells((6, 5), rng, open_share=0.1), wires, **options)
        v = np.abs(partly_selected_drive(rng, net.n_inputs))
        text = re.sub(r"^(V_\d+ \S+ 0) (\S+)$", r"\1 0 AC \2", net.to_spice(v), flags=re.MULTILINE)
        hertz = 1e4
        text = text.replace("\nop\n", f"\nac lin 1 {hertz!r} {hertz!r}\n")
        for k in range(net.n_outputs):
            text = text.replace(
                f"\nprint i_{k}\n", f"\nlet re{k} = real(i_{k})\nlet im{k} = imag(i_{k})\nprint re{k} im{k}\n"
            )
        printed = ngspice(text)
        delay = [-printed[f"im{k}"] / printed[f"re{k}"] / (2 * np.pi * hertz) for k in range(net.n_outputs)]
        slow = oracle.elmore_delay(net.g, v, **options, **wires.model_dump())
        for computed in (slow, net.elmore_delay(v)):
            assert_allclose(computed, delay, rtol=1e-6, atol=1e-8 * np.abs(delay).max())

    @pytest.mark.parametrize(
        ("shape", "options", "settings"),
        [
            ((1, 1), {}, {"end_segments": True}),
            ((4, 5), {}, {}),
            ((5, 4), {"inputs": "columns"}, {"end_segments": True}),
            ((6, 5), {"unselected": "floating"}, {"driver_end": "far", "sense_end": "near"}),
            ((5, 6), {"unselected": "floating", "inputs": "columns"}, {"driver_end": "both"}),
            ((6, 4), {"unselected": "cut off"}, {"sense_end": "both"}),
            ((4, 6), {"conduction": LAWS["sinh"]}, {"driver_end": "both", "sense_end": "both", "end_segments": True}),
            ((6, 6), {"conduction": LAWS["cubic"], "unselected": "floating"}, {}),
            ((3, 4), {"conduction": LAWS["sinh behind a transistor"], "inputs": "columns"}, {}),
            ((12, 9), {"unselected": "cut off", "inputs": "columns"}, {"driver_end": "both", "end_segments": True}),
        ],
    )
    @pytest.mark.parametrize("zeros", [0.0, 0.35])
    def test_netlist_by_hand(self, ngspice, shape, options, settings, zeros):
        """Written element by element from the documentation, so that exporter and solver cannot err alike.

        What has no resistance is a source of 0 V, so that the simulator gives the current in it as well.
        """
        rng = np.random.default_rng([*shape, int(100 * zeros)])
        inputs, unselected = options.get("inputs", "rows"), options.get("unselected", "grounded")
        wires = random_wires(rng, *shape, inputs, zeros=zeros, **settings)
        net = rs.Network(random_cells(shape, rng, open_share=0.2), wires, **options)
        v = partly_selected_drive(rng, net.n_inputs)
        printed = ngspice(by_hand(net.g, wires, v, inputs, unselected, options.get("conduction")))
        n_rows, n_columns = shape
        word = np.array([[printed[f"x{i}y{j}"] for j in range(n_columns)] for i in range(n_rows)])
        bit = np.array([[printed[f"p{i}q{j}"] for j in range(n_columns)] for i in range(n_rows)])
        currents = np.array([printed[f"out{k}"] for k in range(net.n_outputs)])
        solution, slow = check(net, v, (currents, word, bit))
        entering = np.array([printed.get(f"in{k}", 0.0) for k in range(net.n_inputs)])
        assert_allclose(solution.input_currents, entering, rtol=1e-6, atol=1e-9 * np.abs(entering).max())
        # Currents of the segments, by their names: along word lines hI_J, along bit lines eI_J.
        flow = max(np.nanmax(np.abs(x)) for x in (slow.word_line_currents, slow.bit_line_currents))
        for computed in (solution, slow):
            lines = {"h": computed.word_line_currents[:, 1:-1], "e": computed.bit_line_currents[1:-1]}
            known = {"h": slow.word_line_currents[:, 1:-1], "e": slow.bit_line_currents[1:-1]}
            for letter, along in lines.items():
                for place in np.argwhere(~np.isnan(known[letter])).tolist():
                    simulated = printed[letter + "_".join(map(str, place))]
                    assert along[tuple(place)] == pytest.approx(simulated, rel=1e-6, abs=1e-9 * flow)


def cells_by_hand(g, law):
    """Elements of the cells that conduct, between xIyJ and pIqJ."""
    text = []
    for i, j in np.argwhere(g).tolist():
        top, bottom = f"x{i}y{j}", f"p{i}q{j}"
        if law is not None and law.series_ohm > 0:
            text.append(f"Rt{i}_{j} {bottom} t{i}_{j} {law.series_ohm!r}")
            bottom = f"t{i}_{j}"
        siemens, u = float(g[i, j]), f"V({top},{bottom})"
        if law is None or law.law == "linear":
            text.append(f"Rc{i}_{j} {top} {bottom} {1 / siemens!r}")
        elif law.law == "sinh":
            exponent = f"{u}/{law.sinh_volt!r}"
            half = siemens * law.sinh_volt / 2
            text.append(f"Bc{i}_{j} {top} {bottom} I={half!r}*(exp({exponent})-exp(-({exponent})))")
        else:
            c = siemens * law.cubic_per_square_volt
            text.append(f"Bc{i}_{j} {top} {bottom} I={siemens!r}*{u}+{c!r}*{u}*{u}*{u}")
    return text


def by_hand(g, wires, v, inputs, unselected, law):
    """A netlist whose nodes are xIyJ (word), pIqJ (bit) and whose segments carry the currents hI_J and eI_J."""
    n_rows, n_columns = g.shape
    n_inputs, n_outputs = (n_rows, n_columns) if inputs == "rows" else (n_columns, n_rows)
    word_ohm = np.broadcast_to(wires.word_line_ohm, n_rows)
    bit_ohm = np.broadcast_to(wires.bit_line_ohm, n_columns)
    on = (v != 0) | (unselected == "grounded")
    text, printed = ["crossbar"], []

    def wire(name, one, other, ohm):
        """A resistor in series with an ammeter, so that 0 ohm is no exception."""
        middle = f"m_{name}" if ohm > 0 else one
        if ohm > 0:
            text.append(f"R{name} {one} {middle} {float(ohm)!r}")
        text.append(f"V{name} {middle} {other} 0")

    for i in range(n_rows):
        for j in range(n_columns - 1):
            wire(f"h{i}_{j}", f"x{i}y{j}", f"x{i}y{j + 1}", word_ohm[i])
            printed.append(f"let h{i}_{j} = i(Vh{i}_{j})")
    for j in range(n_columns):
        for i in range(n_rows - 1):
            wire(f"e{i}_{j}", f"p{i}q{j}", f"p{i + 1}q{j}", bit_ohm[j])
            printed.append(f"let e{i}_{j} = i(Ve{i}_{j})")
    connected = on[:, None] if inputs == "rows" else on
    text += cells_by_hand(np.where(connected | (unselected != "cut off"), g, 0.0), law)
    rows_in = inputs == "rows"
    input_ends, output_ends = (
        {"near": [0], "far": [-1], "both": [0, -1]}[e] for e in (wires.driver_end, wires.sense_end)
    )
    words = [[f"x{i}y{j}" for j in range(n_columns)] for i in range(n_rows)]
    bits = [[f"p{i}q{j}" for i in range(n_rows)] for j in range(n_columns)]
    input_lines, output_lines = (words, bits) if rows_in else (bits, words)
    input_ohm, output_ohm = (word_ohm, bit_ohm) if rows_in else (bit_ohm, word_ohm)
    driver, sense = np.broadcast_to(wires.driver_ohm, n_inputs), np.broadcast_to(wires.sense_ohm, n_outputs)
    for k, line in enumerate(input_lines):
        if unselected == "floating" and not on[k]:
            if not (g[k] if rows_in else g[:, k]).any():
                text.append(f"Vtie{k} {line[0]} 0 0")
            continue
        text.append(f"Vsource{k} source{k} 0 {float(v[k] * on[k])!r}")
        ohm = driver[k] + (input_ohm[k] if wires.end_segments else 0.0)
        ends = input_ends if ohm > 0 or input_ohm[k] * (len(line) - 1) > 0 else input_ends[:1]
        for end in ends:
            wire(f"d{k}_{end % 2}", f"source{k}", line[end], ohm)
        printed.append(f"let in{k} = -i(Vsource{k})")
    for k, line in enumerate(output_lines):
        ohm = sense[k] + (output_ohm[k] if wires.end_segments else 0.0)
        ends = output_ends if ohm > 0 or output_ohm[k] * (len(line) - 1) > 0 else output_ends[:1]
        for end in ends:
            wire(f"s{k}_{end % 2}", line[end], "0", ohm)
        printed.append(f"let out{k} = " + "+".join(f"i(Vs{k}_{end % 2})" for end in ends))
    options = ".options reltol=1e-12 abstol=1e-18 vntol=1e-15 gmin=1e-20 itl1=500"
    control = [".control", "set numdgt=17", "op", *printed, "print all", "quit", ".endc", ".end", ""]
    return "\n".join([*text, options, *control])


@pytest.fixture(scope="module")
def badcrossbar():
    """The package, whose imports warn."""
    if find_spec("badcrossbar") is None:
        missing("badcrossbar is not installed (pip install --group peers; it needs the headers of cairo)")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import badcrossbar

    return badcrossbar


def check_badcrossbar(peer, g, drive, word_ohm, bit_ohm, rtol=1e-9):
    """All outputs, node voltages and branch currents; ``drive`` (n, n_rows)."""
    with np.errstate(divide="ignore"):
        theirs = peer.compute(drive.T, 1.0 / g, r_i_word_line=word_ohm, r_i_bit_line=bit_ohm)
    net = rs.Network(g, rs.WireSpec(word_line_ohm=word_ohm, bit_line_ohm=bit_ohm, end_segments=True))
    ours = net.solve(drive)
    n, shape = len(drive), (len(drive), *g.shape)

    def assert_near(here, there, scale=None, noise=0.0):
        # Theirs are (n_rows, n_columns, n), without the last axis where it is 1.
        there = np.moveaxis(np.reshape(there, (*g.shape, n)), -1, 0)
        assert here.shape == shape
        assert_allclose(here, there, rtol=0, atol=noise + rtol * (np.abs(there).max() if scale is None else scale))

    outputs = np.reshape(theirs.currents.output, (n, -1))
    for currents in (ours.currents, net.currents(drive), drive @ net.transconductance()):
        assert_allclose(currents, outputs, rtol=0, atol=rtol * np.abs(outputs).max())
    volt = np.abs(drive).max()
    assert_near(ours.word, theirs.voltages.word_line, volt)
    assert_near(ours.bit, theirs.voltages.bit_line, volt)
    assert_near(ours.cell_currents, theirs.currents.device)
    # Their segments stand before each cell of a word line and behind each cell of a bit line. Their currents are
    # differences of voltages, with the rounding errors of these.
    noise = [4e-16 * volt / ohm if ohm else 0.0 for ohm in (word_ohm, bit_ohm)]
    assert_near(ours.word_line_currents[..., :-1], theirs.currents.word_line, noise=noise[0])
    assert_near(ours.bit_line_currents[:, 1:], theirs.currents.bit_line, noise=noise[1])


@pytest.mark.badcrossbar
class TestBadcrossbar:
    @pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (5, 4), (8, 13), (13, 8)])
    @pytest.mark.parametrize("ohm", [(1.0, 2.0), (30.0, 7.0), (0.0, 5.0), (5.0, 0.0), (0.0, 0.0)])
    def test_random_arrays(self, badcrossbar, shape, ohm):
        rng = np.random.default_rng([*shape, int(ohm[0])])
        drive = rng.uniform(-0.3, 0.3, (3, shape[0]))
        check_badcrossbar(badcrossbar, random_cells(shape, rng, open_share=0.2), drive, *ohm)
        check_badcrossbar(badcrossbar, random_cells(shape, rng), drive[:1], *ohm)

    @pytest.mark.parametrize(("shape", "ohm"), [((64, 64), (1.0, 2.5)), ((48, 64), (0.0, 1.0)), ((64, 32), (3.0, 0.0))])
    def test_larger(self, badcrossbar, shape, ohm):
        rng = np.random.default_rng(shape[1])
        drive = rng.uniform(-0.3, 0.3, (2, shape[0]))
        check_badcrossbar(badcrossbar, random_cells(shape, rng, open_share=0.2), drive, *ohm)

    def test_open_lines(self, badcrossbar):
        g = random_cells((6, 5), 3)
        g[2] = 0.0
        g[:, 3] = 0.0
        check_badcrossbar(badcrossbar, g, np.linspace(-0.2, 0.3, 6)[None], 2.0, 3.0)


class TestPublished:
    @pytest.mark.parametrize("case", GOLDEN)
    def test_qucs(self, case):
        """Circuits of badcrossbar's own tests, simulated with Qucs: its end segments are ours."""
        golden = GOLDEN[case]
        g = np.array([[0.0 if ohm is None else 1 / ohm for ohm in row] for row in golden["R"]])
        ohm = {"word_line_ohm": golden["r_wl"], "bit_line_ohm": golden["r_bl"]}
        net, v = rs.Network(g, rs.WireSpec(**ohm, end_segments=True)), np.array(golden["V"])
        slow = oracle.solve(g, v, end_segments=True, **ohm)
        for solution in (net.solve(v), slow):
            assert_allclose(solution.currents, golden["I_out"], rtol=1e-9, atol=1e-12)
            assert_allclose(solution.word, golden["V_wl"], rtol=1e-9, atol=1e-12)
            assert_allclose(solution.bit, golden["V_bl"], rtol=1e-9, atol=1e-12)
        assert_allclose(v @ net.transconductance(), golden["I_out"], rtol=1e-9, atol=1e-12)

    @pytest.mark.parametrize(
        ("ohm", "expected"),
        [((0.0, 0.0), 0.1), ((1.0, 2.0), 1 / 13), ((0.0, 2.0), 1 / 12), ((1.0, 0.0), 1 / 11)],
    )
    def test_one_cell(self, ohm, expected):
        wires = rs.WireSpec(word_line_ohm=ohm[0], bit_line_ohm=ohm[1], end_segments=True)
        assert rs.Network([[0.1]], wires).currents([1.0])[0] == pytest.approx(expected, rel=1e-14)

    def test_the_other_drive_of_the_five_by_four_array(self):
        """Printed with ten digits by badcrossbar's tests."""
        g = 1.0 / np.array(
            [[10, 20, 30, 40], [50, 60, 70, 80], [90, 100, 110, 120], [130, 140, 150, 160], [170, 180, 190, 200]]
        )
        v = [3, 2, -1, 2, 3]
        ideal = rs.Network(g).currents(v)
        assert_allclose(ideal, [0.3619205631, 0.2042857143, 0.1486033265, 0.1191666667], rtol=1e-9)
        wires = rs.WireSpec(word_line_ohm=1.0, bit_line_ohm=2.0, end_segments=True)
        currents = rs.Network(g, wires).currents(v)
        assert_allclose(currents, [0.152746753, 0.108723705, 0.0871995284, 0.0744660844], rtol=1e-8)

    @pytest.mark.parametrize(
        ("n_cells", "g", "ohm", "ampere"),
        [(4, 1e-4, 50.0, 7.711811017e-05), (64, 1e-4, 2.0, 1.0113245225e-03), (256, 1e-4, 1.0, 1.9664971631e-03)],
    )
    @pytest.mark.parametrize("inputs", ["rows", "columns"])
    def test_uniform_ladder(self, n_cells, g, ohm, ampere, inputs):
        """Equal cells on one output line with its end segment, ideal input lines at V: V/r (1 - cosh / cosh)."""
        volt = 0.2
        theta = np.arccosh(np.longdouble(1) + np.longdouble(ohm) * np.longdouble(g) / 2)
        ratio = np.cosh((n_cells - np.longdouble(0.5)) * theta) / np.cosh((n_cells + np.longdouble(0.5)) * theta)
        expected = float(volt / ohm * (1 - ratio))
        assert expected == pytest.approx(ampere, rel=1e-9)
        shape, line = ((n_cells, 1), "bit_line_ohm") if inputs == "rows" else ((1, n_cells), "word_line_ohm")
        for sense_end in ("near", "far"):
            wires = rs.WireSpec(**{line: ohm}, end_segments=True, sense_end=sense_end)
            net = rs.Network(np.full(shape, g), wires, inputs=inputs)
            assert_allclose(net.currents(np.full(n_cells, volt)), expected, rtol=1e-12)
            assert_allclose(np.full(n_cells, volt) @ net.transconductance(), expected, rtol=1e-12)

    def test_uniform_ladder_sensed_at_both_ends(self):
        """By symmetry two half ladders: with 2m cells each end takes what a ladder of m cells gives."""
        wires = rs.WireSpec(bit_line_ohm=2.0, end_segments=True)
        half = rs.Network(np.full((64, 1), 1e-4), wires).currents(np.full(64, 0.2))
        whole = rs.Network(np.full((128, 1), 1e-4), wires.but({"sense_end": "both"}))
        assert_allclose(whole.currents(np.full(128, 0.2)), 2 * half, rtol=1e-12)

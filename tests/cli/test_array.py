"""The commands about one array: what they read, print and write; bad input is one message, and no file."""

import re

import numpy as np
import pytest

import rramsim as rs
from rramsim.cli.array_tables import coupling_meaning

RNG = np.random.default_rng(7)
G = RNG.uniform(5e-6, 80e-6, (6, 4))
V = np.array([0.2, 0.0, 0.1, 0.2, 0.05, 0.15])
BOTH = {"word_line_ohm": 30.0, "bit_line_ohm": 30.0}
OHM = (1.0, 20.0, 3.0, 40.0)
BATCH = RNG.uniform(0.0, 0.2, (3, 6))


@pytest.fixture(autouse=True)
def _arrays(folder):
    np.save("G.npy", G)
    np.save("V.npy", V)
    np.save("batch.npy", BATCH)


def write_csv(path, values):
    lines = [",".join(map(repr, row)) for row in np.atleast_2d(values).tolist()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def figures(out):
    """The printed table: value by name of the figure."""
    return dict(re.findall(r"^(\S.*?\S)\s{2,}(\S.*?)\s*$", out, re.MULTILINE))


class TestHelp:
    @pytest.mark.parametrize(
        ("command", "mentioned"),
        [
            ("solve", ["--out", "--plot", "--node-voltages", "rramsim solve G.npy V.npy --wire-ohm 1 --out I.npy"]),
            ("netlist", ["--out", "--print-nodes", "ngspice -b array.cir", "rramsim netlist G.npy V.npy --wire-ohm 1"]),
        ],
    )
    def test_help(self, done, command, mentioned):
        text = " ".join(re.sub(r"[│╭╮╰╯─]", " ", done(command, "--help")).split())
        lines = ("wire", "word-line", "bit-line", "driver", "sense", "series")
        shared = ["siemens", "--volt", "--end-segments", "--driver-end", "--sense-end", "--inputs", "--unselected"]
        shared += ["--pairs", "--law", "--sinh-volt", "--cubic-per-square-volt", "--cell-farad", "Examples"]
        shared += ["--temperature-kelvin", "--change-per-kelvin", "--most-volt", "curves, which no option can hold"]
        wanted = [*mentioned, *shared, *(f"--{line}-ohm" for line in lines)]
        assert [part for part in wanted if part not in text] == []

    def test_both_are_listed(self, done):
        out = done("--help")
        assert "Solve one array" in out
        assert "SPICE netlist" in out


class TestSolve:
    @pytest.mark.parametrize("voltages", ["V", "batch"])
    @pytest.mark.parametrize("kind", ["npy", "csv"])
    def test_currents(self, done, tmp_path, voltages, kind):
        """Either kind of file gives the currents of the solver, to the last bit, one vector or several."""
        v = np.load(f"{voltages}.npy")
        write_csv(tmp_path / "G.csv", G)
        write_csv(tmp_path / f"{voltages}.csv", v)
        out = done("solve", f"G.{kind}", f"{voltages}.{kind}", "--wire-ohm", 5, "--driver-ohm", 100, "-o", f"I.{kind}")
        assert out.endswith(f"\ncurrents: I.{kind}\n")
        currents = np.load("I.npy") if kind == "npy" else np.loadtxt("I.csv", delimiter=",")
        assert currents.shape == (*v.shape[:-1], 4)
        net = rs.Network(G, rs.WireSpec(word_line_ohm=5.0, bit_line_ohm=5.0, driver_ohm=100.0))
        np.testing.assert_array_equal(currents, net.solve(v).currents)
        np.testing.assert_allclose(currents, net.currents(v), rtol=1e-10)

    @pytest.mark.parametrize(
        ("arguments", "wires", "options"),
        [
            (["--word-line-ohm", 3, "--sense-ohm", 70], {"word_line_ohm": 3.0, "sense_ohm": 70.0}, {}),
            (["--bit-line-ohm", "ohm.csv", "--end-segments"], {"bit_line_ohm": OHM, "end_segments": True}, {}),
            (["--wire-ohm", 30, "--driver-end", "both"], {**BOTH, "driver_end": "both"}, {}),
            (["--wire-ohm", 30, "--sense-end", "near"], {**BOTH, "sense_end": "near"}, {}),
            (["--wire-ohm", 30, "--unselected", "floating"], BOTH, {"unselected": "floating"}),
            (["--wire-ohm", 30, "--unselected", "cut-off"], BOTH, {"unselected": "cut off"}),
            (["--wire-ohm", 30, "--pairs", "outputs"], BOTH, {"pairs": "outputs"}),
            (["--wire-ohm", 30, "--temperature-kelvin", 400], {**BOTH, "temperature_kelvin": 400.0}, {}),
            (
                ["--wire-ohm", 30, "--temperature-kelvin", 250, "--change-per-kelvin", 0.01],
                {**BOTH, "temperature_kelvin": 250.0, "change_per_kelvin": 0.01},
                {},
            ),
        ],
    )
    def test_settings(self, done, tmp_path, arguments, wires, options):
        (tmp_path / "ohm.csv").write_text("1, 20, 3, 40\n")
        done("solve", "G.npy", "V.npy", *arguments, "--out", "I.npy")
        expected = rs.Network(G, rs.WireSpec(**wires), **options).solve(V).currents
        np.testing.assert_array_equal(np.load("I.npy"), expected)
        assert not np.allclose(expected, rs.Network(G, **options).solve(V).currents, rtol=1e-6)

    def test_nonlinear_cells(self, done):
        done("solve", "G.npy", "V.npy", "--law", "sinh", "--sinh-volt", 0.1, "--series-ohm", 500, "--out", "I.npy")
        law = rs.SinhConductionSpec(sinh_volt=0.1, series_ohm=500.0)
        np.testing.assert_allclose(np.load("I.npy"), law.current(G, V[:, None]).sum(axis=0), rtol=1e-9)

    def test_a_largest_voltage(self, done, refused):
        law = ["--law", "cubic", "--cubic-per-square-volt", 2, "--most-volt"]
        done("solve", "G.npy", "V.npy", *law, 0.2, "--word-line-farad", 1e-15, "--out", "I.npy")
        expected = (G * (V + 2 * V**3)[:, None]).sum(axis=0)
        np.testing.assert_allclose(np.load("I.npy"), expected, rtol=1e-9)
        for command in ("solve", "netlist"):
            assert "span 0.2 V; allowed are at most 0.15 V (most_volt)" in refused(
                command, "G.npy", "V.npy", *law, 0.15
            )

    def test_polynomials_are_for_python(self, refused):
        assert "--law polynomial: its coefficients are curves" in refused(
            "solve", "G.npy", "V.npy", "--law", "polynomial"
        )

    def test_columns_are_driven(self, done):
        done("solve", "G.npy", "--volt", 0.2, "--inputs", "columns", "--out", "I.npy")
        np.testing.assert_allclose(np.load("I.npy"), 0.2 * G.sum(axis=1), rtol=1e-12)

    def test_pairs_of_inputs(self, done):
        done("solve", "G.npy", "--volt", 0.2, "--pairs", "inputs", "--out", "I.npy")
        np.testing.assert_allclose(np.load("I.npy"), 0.2 * (G[::2] - G[1::2]).sum(axis=0), rtol=1e-12, atol=1e-18)

    def test_a_vector_may_be_a_column_with_comments(self, done, tmp_path):
        lines = ["\ufeff# volt", "", *(f"{volt!r}  # row {i}" for i, volt in enumerate(V.tolist()))]
        (tmp_path / "V.csv").write_text("\n".join(lines), encoding="utf-8")
        done("solve", "G.npy", "V.csv", "--out", "I.npy")
        np.testing.assert_allclose(np.load("I.npy"), V @ G, rtol=1e-12)

    def test_table(self, done):
        g = np.where(np.eye(6, 4, k=-2) > 0, 0.0, G)
        np.save("holes.npy", g)
        out = done("solve", "holes.npy", "V.npy", "--wire-ohm", 20, "--driver-ohm", 50)
        net = rs.Network(g, rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=20.0, driver_ohm=50.0))
        (word, bit), current = net.node_voltages(V), net.currents(V)
        loss = 1 - current / (V @ g)
        lost = np.where(g > 0, V[:, None] - word + bit, -1)
        i, j = np.unravel_index(np.argmax(lost), g.shape)
        table = figures(out)
        coupling = net.solve(V).evidence.coupling
        assert table["cells"] == "6 x 4, rows driven"
        assert table["open cells"] == "4"
        assert table["coupling x"] == f"{coupling:.3g}: {coupling_meaning(coupling)}"
        assert int(table["iterations"]) >= 1
        assert float(table["Kirchhoff residual"].split()[0]) < 1e-9
        assert float(table["power balance error"]) < 1e-9
        assert table["power in"].endswith("W")
        worst = int(np.argmax(loss))
        assert (
            table["largest output loss"] == f"{100 * loss[worst]:.3g} % of the current without wires: bit line {worst}"
        )
        milli = f"{1e3 * lost[i, j]:.3g} mV ({100 * lost[i, j] / V[i]:.3g} %): row {i}, column {j}"
        assert table["largest cell loss"] == milli
        for k in range(4):
            line = next(line for line in out.splitlines() if re.match(rf"{k}\s+\S+ uA", line))
            assert line.split() == [
                str(k), f"{1e6 * current[k]:.3g}", "uA", f"{1e6 * (V @ g)[k]:.3g}", "uA", f"{-100 * loss[k]:.3g}", "%"
            ]  # fmt: skip

    def test_table_of_a_batch(self, done):
        out = done("solve", "G.npy", "batch.npy", "--wire-ohm", 20)
        currents = rs.Network(G, rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=20.0)).currents(BATCH)
        loss = 1 - currents / (BATCH @ G)
        place = np.unravel_index(np.argmax(loss), loss.shape)
        table = figures(out)
        assert table["input vectors"] == "3"
        assert table["largest output loss"].endswith(f"bit line {place[1]}, vector {place[0]}")
        assert table["largest"].split()[:2] == [f"{1e6 * currents.max():.3g}", "uA"]

    def test_without_wires(self, done):
        table = figures(done("solve", "G.npy", "V.npy"))
        assert table["coupling x"] == "0: the segments have no resistance"
        assert table["largest output loss"].startswith("0 % of")

    def test_capacitances_give_a_settling_time(self, done):
        out = done("solve", "G.npy", "V.npy", "--wire-ohm", 10, "--bit-line-farad", 1e-15)
        assert re.fullmatch(r"after \S+ [fpn]s, the slowest output", figures(out)["settled to 1 %"])

    def test_node_voltages(self, done):
        done("solve", "G.npy", "batch.npy", "--wire-ohm", 20, "--node-voltages", "nodes.npz")
        expected = rs.Network(G, rs.WireSpec(word_line_ohm=20.0, bit_line_ohm=20.0)).solve(BATCH)
        with np.load("nodes.npz") as nodes:
            assert set(nodes) == {"word", "bit"}
            np.testing.assert_array_equal(nodes["word"], expected.word)
            np.testing.assert_array_equal(nodes["bit"], expected.bit)

    def test_plot(self, done, tmp_path):
        out = done("solve", "G.npy", "batch.npy", "--wire-ohm", 20, "--plot", "drop.png")
        assert out.endswith("\nfigure:   drop.png\n")
        assert (tmp_path / "drop.png").read_bytes().startswith(b"\x89PNG\r\n")
        for name in ("one.svg", "two.svg"):
            done("solve", "G.npy", "V.npy", "--wire-ohm", 20, "--plot", name)
        assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()

    def test_all_cells_open(self, done):
        np.save("open.npy", np.zeros((3, 2)))
        done("solve", "open.npy", "--volt", 0.1, "--wire-ohm", 1, "--out", "I.npy", "--plot", "open.png")
        np.testing.assert_array_equal(np.load("I.npy"), [0, 0])

    def test_many_dimensions(self, done):
        np.save("many.npy", np.stack([BATCH, -BATCH]))
        done("solve", "G.npy", "many.npy", "--out", "I.npy", "--plot", "many.png")
        assert np.load("I.npy").shape == (2, 3, 4)


class TestNetlist:
    def test_printed(self, done):
        out = done("netlist", "G.npy", "V.npy", "--wire-ohm", 5, "--sense-end", "both")
        wires = rs.WireSpec(word_line_ohm=5.0, bit_line_ohm=5.0, sense_end="both")
        text = rs.Network(G, wires).to_spice(V)
        assert out.splitlines()[1:] == text.splitlines()[1:]
        assert out.splitlines()[0] == "Crossbar of 6 x 4 cells: G.npy at V.npy"
        assert out.endswith("\n.end\n")

    def test_written(self, done, tmp_path):
        out = done("netlist", "G.npy", "--volt", 0.2, "--out", "array.cir", "--print-nodes")
        assert out == "array.cir: written; run it with `ngspice -b array.cir`\n"
        text = (tmp_path / "array.cir").read_text(encoding="ascii")
        assert text.startswith("Crossbar of 6 x 4 cells: G.npy at 0.2 V\n")
        assert "\nprint all\n" in text


class TestBadInput:
    @pytest.fixture(autouse=True)
    def _files(self, tmp_path):
        for name, text in {
            "word.csv": "1e-6,2e-6\n\n1e-6,two\n",
            "ragged.csv": "# siemens\n1e-6,2e-6\n1e-6\n",
            "gap.csv": "1e-6,,2e-6\n",
            "empty.csv": "# nothing\n\n",
            "negative.csv": "1e-6,2e-6\n3e-6,-4e-6\n",
            "infinite.csv": "inf,2e-6\n",
            "three.csv": "1,2,3\n",
            "square.csv": "1,2\n3,4\n",
            "minus.csv": "1,-2,3,4\n",
            "taken.csv": "precious",
            "taken.png": "precious",
            "array.txt": "1e-6",
        }.items():
            (tmp_path / name).write_text(text)
        (tmp_path / "latin.csv").write_bytes(b"1e-6 \xb5\n")
        (tmp_path / "cut.npy").write_bytes((tmp_path / "G.npy").read_bytes()[:150])
        (tmp_path / "head.npy").write_bytes(b"\x93NUM")
        (tmp_path / "text.npy").write_text("no array")
        (tmp_path / "folder.npy").mkdir()
        with (tmp_path / "object.npy").open("wb") as stream:
            np.save(stream, np.array([{}], dtype=object), allow_pickle=True)
        nan = G.copy()
        nan[2, 1] = nan[3, 0] = np.nan
        for name, values in {
            "nan.npy": nan,
            "complex.npy": G * 1j,
            "words.npy": np.array(["a"]),
            "line.npy": V,
            "cube.npy": np.ones((2, 2, 2)),
            "none.npy": np.ones((0, 3)),
            "nan-volt.npy": np.where(np.arange(6) == 4, np.nan, BATCH),
            "number.npy": np.array(0.1),
            "odd.npy": G[:5],
            "many.npy": np.stack([BATCH, BATCH]),
        }.items():
            np.save(tmp_path / name, values)

    @pytest.mark.parametrize(
        ("arguments", "wanted"),
        [
            (["missing.npy"], "missing.npy: no such file"),
            (["folder.npy"], "folder.npy: cannot be read: Is a directory"),
            (["array.txt"], "array.txt: numbers are read from .npy (NumPy) or .csv"),
            (["cut.npy"], "cut.npy: not a NumPy array file"),
            (["head.npy"], "head.npy: not a NumPy array file"),
            (["text.npy"], "text.npy: not a NumPy array file"),
            (["object.npy"], "object.npy: not a NumPy array file: Object arrays cannot be loaded"),
            (["complex.npy"], "complex.npy: holds complex128 values; real numbers are expected"),
            (["words.npy"], "words.npy: holds <U1 values"),
            (["line.npy"], "line.npy: one array has the shape (rows, columns), at least 1 x 1; got 6"),
            (["cube.npy"], "got 2 x 2 x 2"),
            (["none.npy"], "got 0 x 3"),
            (["number.npy"], "got one number"),
            (["word.csv"], "word.csv, line 3, value 2: 'two' is not a number"),
            (["ragged.csv"], "ragged.csv, line 3: 1 values, but line 2 has 2"),
            (["gap.csv"], "gap.csv, line 1, value 2: '' is not a number"),
            (["empty.csv"], "empty.csv: holds no numbers"),
            (["latin.csv"], "latin.csv: cannot be read as a text file (UTF-8)"),
            (["negative.csv"], "negative.csv: row 1, column 1 (counted from 0): got -4e-06 S; conductances are finite"),
            (["infinite.csv"], "infinite.csv: row 0, column 0 (counted from 0): got inf S"),
            (["nan.npy"], "nan.npy: row 2, column 1 (counted from 0): got nan S, and 1 more;"),
        ],
    )
    @pytest.mark.parametrize("command", ["solve", "netlist"])
    def test_conductances(self, refused, command, arguments, wanted):
        err = refused(command, *arguments, "--volt", 0.2)
        assert err.startswith("rramsim: ")
        assert wanted in err
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize(
        ("arguments", "wanted"),
        [
            (["G.npy"], "give the voltages of the inputs either as a file V or by --volt"),
            (["G.npy", "V.npy", "--volt", 0.1], "either as a file V or by --volt"),
            (["G.npy", "--volt", "nan"], "--volt nan: voltages are finite"),
            (["G.npy", "G.npy"], "G.npy: got 6 x 4 voltages, but G.npy has 6 inputs (rows)"),
            (["G.npy", "three.csv"], "three.csv: got 3 voltages, but"),
            (["G.npy", "number.npy"], "number.npy: got one number voltages"),
            (["G.npy", "none.npy"], "none.npy: got 0 x 3 voltages"),
            (["G.npy", "V.npy", "--inputs", "columns"], "V.npy: got 6 voltages, but G.npy has 4 inputs (columns)"),
            (["G.npy", "nan-volt.npy"], "nan-volt.npy: index 0, 4 (counted from 0): got nan V; voltages are finite"),
            (["G.npy", "V.npy", "--pairs", "inputs"], "V.npy: got 6 voltages, but G.npy has 3 inputs"),
            (["odd.npy", "--volt", 1, "--pairs", "inputs"], "odd.npy: --pairs inputs needs an even number"),
            (["G.npy", "--volt", 1, "--wire-ohm", 1, "--bit-line-ohm", 2], "--wire-ohm is both --word-line-ohm and"),
            (["G.npy", "--volt", 1, "--wire-ohm", "-1"], "--wire-ohm -1: a resistance is finite and at least 0 ohm"),
            (["G.npy", "--volt", 1, "--sense-ohm", "nan"], "--sense-ohm nan: a resistance is finite"),
            (["G.npy", "--volt", 1, "--sense-ohm", "one"], "--sense-ohm one: give a number, ohm, or a .npy or .csv"),
            (["G.npy", "--volt", 1, "--sense-ohm", "three.csv"], "got 3 numbers for 4"),
            (["G.npy", "--volt", 1, "--sense-ohm", "square.csv"], "one number for each line is expected; the file"),
            (["G.npy", "--volt", 1, "--sense-ohm", "minus.csv"], "line 1 (counted from 0) has -2 ohm"),
            (["G.npy", "--volt", 1, "--driver-end", "left"], "driver_end: got 'left'; it is one of 'near', 'far' or"),
            (["G.npy", "--volt", 1, "--cell-farad", -1], "cell_farad: got -1.0; it is at least 0"),
            (["G.npy", "--volt", 1, "--inputs", "diagonals"], "--inputs diagonals: allowed are rows, columns"),
            (["G.npy", "--volt", 1, "--unselected", "x"], "--unselected x: allowed are grounded, floating, cut-off"),
            (["G.npy", "--volt", 1, "--pairs", "all"], "--pairs all: allowed are none, outputs, inputs"),
            (["G.npy", "--volt", 1, "--law", "ohm"], "--law: got 'ohm'"),
            (["G.npy", "--volt", 1, "--law", "sinh"], "sinh_volt: missing"),
            (["G.npy", "--volt", 1, "--sinh-volt", 1], "sinh_volt: unknown key"),
            (["G.npy", "V.npy", "--out", "taken.csv"], "taken.csv: exists already and is never overwritten"),
            (["G.npy", "V.npy", "--out", "no/I.npy"], "no/I.npy: its folder cannot be written: No such file"),
        ],
    )
    @pytest.mark.parametrize("command", ["solve", "netlist"])
    def test_settings(self, refused, command, arguments, wanted):
        err = refused(command, *arguments)
        assert err.startswith("rramsim: ")
        assert wanted in err
        assert len(err.splitlines()) == 1

    @pytest.mark.parametrize(
        ("arguments", "wanted"),
        [
            (["--out", "I.txt"], "I.txt: its name must end in .npy or .csv"),
            (["--plot", "drop.gif"], "drop.gif: its name must end in .png or .svg or .pdf"),
            (["--plot", "taken.png", "--out", "I.npy"], "taken.png: exists already"),
            (["--node-voltages", "nodes.npy", "--out", "I.npy"], "nodes.npy: its name must end in .npz"),
        ],
    )
    def test_targets(self, refused, arguments, wanted):
        """Found before anything is solved, so that nothing is written at all."""
        assert wanted in refused("solve", "G.npy", "V.npy", *arguments)

    def test_too_many_dimensions(self, refused):
        assert "I.csv: a .csv holds one vector or a list" in refused("solve", "G.npy", "many.npy", "--out", "I.csv")
        assert "batch.npy: a netlist has one voltage for each" in refused("netlist", "G.npy", "batch.npy")

    @pytest.mark.parametrize("arguments", [["solve"], ["netlist", "--wrong"], ["solve", "G.npy", "--volt", "high"]])
    def test_usage(self, refused, arguments):
        assert "Usage" in refused(*arguments)

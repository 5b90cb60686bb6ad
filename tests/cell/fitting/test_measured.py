"""Tables of measured cells: all forms are read alike, and what is wrong is refused with its place."""

import numpy as np
import pytest
from helpers.measuring import csv_text
from numpy.testing import assert_allclose, assert_array_equal

from rramsim.cell.fitting.measured import COLUMNS, read_measured
from rramsim.errors import SpecError

ROWS = np.array(
    [
        [1e-5, 1.1e-5, 1.0, 0, 7],
        [1e-5, 0.9e-5, 10.0, 0, 7],
        [2e-5, 2.1e-5, 1.0, 1, 7],
        [2e-5, 1.7e-5, 1.0, 0, 3],
    ]
)
TABLE = dict(zip(COLUMNS, ROWS.T, strict=True))


class _Frame:
    """What a data frame is to us: columns by name, keys, and no mapping."""

    def keys(self):
        return TABLE.keys()

    def __getitem__(self, name):
        return TABLE[name]


def as_csv(folder, text, name="cells.csv"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def assert_same(measured, expected):
    for name in ("target", "read", "time"):
        assert_array_equal(getattr(measured, name), getattr(expected, name))
    for name in ("cycle", "cell"):
        # The numbers are names: only which of them are alike counts.
        one, other = getattr(measured, name), getattr(expected, name)
        assert_array_equal(one[:, None] == one, other[:, None] == other)


def test_the_columns_arrive():
    measured = read_measured(ROWS)
    assert_array_equal(measured.target, ROWS[:, 0])
    assert_array_equal(measured.read, ROWS[:, 1])
    assert_array_equal(measured.time, ROWS[:, 2])
    assert_array_equal(measured.cycle[:, None] == measured.cycle, ROWS[:, 3, None] == ROWS[:, 3])
    assert_array_equal(measured.cell[:, None] == measured.cell, ROWS[:, 4, None] == ROWS[:, 4])


@pytest.mark.parametrize(
    "data",
    [
        ROWS.tolist(),
        TABLE,
        {name: TABLE[name].tolist() for name in reversed(COLUMNS)},
        _Frame(),
        np.rec.fromarrays(ROWS.T, names=list(COLUMNS)),
        {**TABLE, "cell": ["b", "b", "b", "a"]},
    ],
    ids=["rows", "mapping", "lists", "frame", "structured", "names"],
)
def test_every_form_says_the_same(data):
    assert_same(read_measured(data), read_measured(ROWS))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: "\ufeff" + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "# lot 7\n\n" + text.replace("\n", "\n\n# more\n"),
        lambda text: text.replace(",", " , "),
        lambda text: text.replace(",7\n", ",b7\n"),
        lambda text: text.replace(",7\n", ',"7, east"\n'),
        lambda text: text.replace("\n1e-05", "\n10").replace("\n2e-05", "\n20").replace("target_si", "target_microsi"),
    ],
    ids=["plain", "mark", "lines", "comments", "spaces", "names", "quotes", "microsiemens"],
)
def test_every_way_of_writing_a_file(change, tmp_path):
    path = as_csv(tmp_path, change(csv_text(TABLE)))
    assert_same(read_measured(path), read_measured(ROWS))
    assert read_measured(str(path)).origin == str(path)


@pytest.mark.parametrize(("unit", "per"), [("milli", 1e3), ("micro", 1e6), ("nano", 1e9)])
def test_units(unit, per):
    data = {f"target_{unit}siemens": ROWS[:, 0] * per, f"read_{unit}siemens": ROWS[:, 1] * per}
    measured = read_measured(data)
    assert_allclose(measured.target, ROWS[:, 0], rtol=1e-15)
    assert_allclose(measured.read, ROWS[:, 1], rtol=1e-15)
    assert measured.time is measured.cycle is measured.cell is None


def test_other_columns_are_named():
    assert read_measured({**TABLE, "date": ["x"] * 4, "chip": [1] * 4}).unused == ("date", "chip")


HEADER = "target_siemens,read_siemens\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "got an empty file"),
        ("# nothing\n\n", "got an empty file"),
        (HEADER, "got a table without rows"),
        ("target_siemens,time_second\n1e-5,1\n", "got the columns target_siemens, time_second; read_siemens missing"),
        ("1e-5,2e-5\n1e-5,2e-5\n", "target_siemens and read_siemens missing"),
        ("target_siemens;read_siemens\n1e-5;2e-5\n", "got one column, .* separated by commas"),
        ("target_siemens,read_siemens,cycel\n1,2,3\n", "got the column 'cycel'; did you mean 'cycle'"),
        ("target_siemens,target_siemens\n1,2\n", "line 1: got the column 'target_siemens' twice"),
        ("target_siemens,target_microsiemens,read_siemens\n1,2,3\n", "they say the same, give one"),
        (HEADER + "1e-5,1e-5\n\n1e-5,oops\n", r"line 4, column read_siemens: got .*oops.*; a number is needed"),
        (HEADER + "1e-5,1e-5\n1e-5,\n", r"line 3, column read_siemens: got ''"),
        (HEADER + "1e-5\n", "line 2: got 1 values; the header has 2 columns"),
        (HEADER + "1e-5,1e-5\n1e-5,1e-5,3\n", "line 3: got 3 values; the header has 2 columns"),
        (HEADER + "1e-5,-1e-6\n", "line 2, column read_siemens: got -1e-06; the conductance of a passive cell"),
        (HEADER + "nan,1e-6\n", "line 2, column target_siemens: got nan; .* is finite and at least 0"),
        (HEADER + "1e-5,inf\n1e-5,inf\n", r"line 2, column read_siemens: got inf \(and 1 more\)"),
        (HEADER + "# in uS\n20,21\n", "line 3, column target_siemens: got 20; .* name the column target_microsiemens"),
        (HEADER + '1e-5,"1e-5\n2e-5,2e-5"\n', "goes on in the next line|cannot be read as CSV"),
        (HEADER.encode() + b"1e-5,\xff\n", "cannot be read as text"),
    ],
)
def test_no_table_of_cells(text, reason, tmp_path):
    path = as_csv(tmp_path, text)
    with pytest.raises(SpecError, match=reason) as error:
        read_measured(path)
    assert str(error.value).startswith(str(path))


def test_no_such_file(tmp_path):
    with pytest.raises(SpecError, match="no such file"):
        read_measured(tmp_path / "none.csv")
    with pytest.raises(SpecError, match="cannot be read"):
        read_measured(tmp_path)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (np.ones(4), r"got an array of the shape \(4,\)"),
        (np.ones((4, 6)), r"got an array of the shape \(4, 6\)"),
        ([[1e-5, 2e-5], [1e-5]], "rows of different lengths"),
        (3.0, "got an array of the shape"),
        ({"target_siemens": 1e-5, "read_siemens": 1e-5}, "got the one target"),
        ({"target_siemens": [], "read_siemens": []}, "got a table without rows"),
        ({**TABLE, "time_second": np.array(["2024-01-01"] * 4, dtype="M8[s]")}, "column time_second holds dates"),
        ({**TABLE, "cell": [1, 2]}, "all columns are of one length"),
        ({**TABLE, "read_siemens": ["1e-5", "x", "2", "3"]}, r"row 1 \(counted from 0\), column read_siemens: got 'x'"),
        ({**TABLE, "read_siemens": np.ones(4) * 1j}, "column read_siemens"),
        ({**TABLE, "time_second": [1, 2, -3, 4]}, "row 2 .*column time_second: got -3; a time since the write"),
        ({**TABLE, "cell": [1, np.nan, 2, 3]}, "row 1 .*column cell: got nan; every read needs a cell"),
        ({**TABLE, "cell": ["a", "", "b", "c"]}, "row 1 .*column cell: got ''"),
        ({**TABLE, "cell": [[1], [2, 3], [4], [5]]}, "column cell: every read needs a cell"),
        ({**TABLE, "target_siemens": np.full(4, 1e-5)}, "got the one target 1e-05 S; at least two"),
        ({**TABLE, "target_siemens": np.arange(4) * 1e-15}, "got targets up to 3e-15 S; .* check the unit"),
        ({**TABLE, "read_siemens": [1e-5, 1.0, 1e-5, 1e-5]}, "no memory cell conducts more"),
        ({**TABLE, "time_second": [0, 0, 1, 2]}, "got reads at 0 s and up to 2 s"),
        (ROWS[:, :4], "got cycle without cell"),
        (ROWS[:, :3], "got reads at 1 to 10 s without cell"),
    ],
)
def test_wrong_data(data, reason):
    with pytest.raises(SpecError, match=reason) as error:
        read_measured(data)
    assert "\n" not in str(error.value)

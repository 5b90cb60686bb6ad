"""`rramsim fit-device`: its report, the card that it writes, its figure, and what it refuses."""

import tomllib
import xml.etree.ElementTree as ET

import pytest
from helpers.measuring import LEVELS, WINDOW, csv_text, table

import rramsim as rs
from rramsim.cell.fitting.fit import fit_device

SPEC = rs.DeviceSpec(
    **WINDOW,
    programming=rs.GaussianSpreadSpec(spread_siemens=(0.3e-6, 1e-6)),
    device_to_device=rs.GaussianSpreadSpec(spread_siemens=0.7e-6),
    drift=rs.DriftSpec(exponent=0.03, exponent_spread=0.01),
    read_noise=rs.ReadNoiseSpec(relative_deviation=0.01),
)


@pytest.fixture
def cells(folder):
    path = folder / "cells.csv"
    path.write_text(csv_text(table(SPEC, cells=30, cycles=2, times=(1.0, 30.0, 1e3), reads=2)), encoding="utf-8")
    return path


def test_help(done):
    text = done("fit-device", "--help")
    for mentioned in ("DATA.csv", "--out", "-o", "--name", "--source", "--plot", "target_siemens", "read_siemens"):
        assert mentioned in text


def test_report_card_and_figure(done, cells, folder):
    out = done("fit-device", cells, "-o", "mine.toml", "--source", "our lab", "--title", "A cell", "--plot", "mine.svg")
    expected = fit_device(cells, name="mine", source="our lab", title="A cell")
    assert out.startswith("\n".join(expected.report()))
    assert "card:    mine.toml" in out
    assert "figure:  mine.svg" in out
    assert rs.device("mine.toml") == expected.device
    assert sorted(path.name for path in folder.iterdir()) == ["cells.csv", "mine.svg", "mine.toml"]
    assert ET.parse(folder / "mine.svg").getroot().tag.endswith("svg")


def test_the_card_is_shown_like_a_preset(done, cells):
    done("fit-device", cells, "-o", "mine.toml", "--name", "lot 7")
    text = done("presets", "mine.toml")
    assert "lot 7" in text
    assert "5 uS" in text
    assert "40 uS" in text
    assert "Measured: cells.csv" in text


def test_without_a_file_the_card_is_printed(done, cells, folder):
    out = done("fit-device", cells)
    assert out == fit_device(cells).to_toml()
    assert rs.DeviceSpec(**tomllib.loads(out)) == fit_device(cells).device
    assert [path.name for path in folder.iterdir()] == ["cells.csv"]


def test_a_figure_alone_leaves_the_card_readable(done, cells, folder):
    out = done("fit-device", cells, "--plot", "mine.png")
    assert rs.DeviceSpec(**tomllib.loads(out)) == fit_device(cells).device
    assert (folder / "mine.png").read_bytes().startswith(b"\x89PNG")


def test_a_figure_without_times(done, folder):
    data = table(rs.DeviceSpec(**WINDOW, programming=rs.GaussianSpreadSpec(spread_siemens=1e-6)), cells=20)
    path = folder / "short.csv"
    path.write_text(csv_text({name: data[name] for name in ("target_siemens", "read_siemens")}), encoding="utf-8")
    done("fit-device", path, "-o", "short.toml", "--plot", "short.svg")
    text = (folder / "short.svg").read_text(encoding="utf-8")
    assert "spread of written conductances" in text
    assert "over time" not in text


def test_nothing_is_overwritten(refused, cells, folder):
    for name in ("mine.toml", "mine.png"):
        (folder / name).write_text("mine", encoding="utf-8")
    assert "mine.toml: exists already and is never overwritten" in refused("fit-device", cells, "-o", "mine.toml")
    assert "mine.png: exists already" in refused("fit-device", cells, "-o", "new.toml", "--plot", "mine.png")


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["-o", "mine.txt"], "mine.txt: its name must end in .toml"),
        (["--plot", "mine.jpg"], "mine.jpg: its name must end in .png or .svg or .pdf"),
        (["-o", "none/mine.toml"], "its folder cannot be written"),
    ],
)
def test_wrong_files(refused, cells, options, reason):
    assert reason in refused("fit-device", cells, *options)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("target_siemens,read_siemens\n1e-5,oops\n", "cells.csv, line 2, column read_siemens: got 'oops'; a number"),
        ("target_siemens,read_siemens\n" + "1e-5,1.1e-5\n2e-5,2.1e-5\n" * 3, "got 3 writes to the target 1e-05 S"),
        ("g,h\n1,2\n", "target_siemens and read_siemens missing"),
    ],
)
def test_wrong_data(refused, folder, text, reason):
    (folder / "cells.csv").write_text(text, encoding="utf-8")
    assert reason in refused("fit-device", "cells.csv", "-o", "mine.toml", "--plot", "mine.png")


def test_no_such_data(refused):
    assert "none.csv: no such file" in refused("fit-device", "none.csv")


def test_levels_of_the_card(done, cells):
    done("fit-device", cells, "-o", "mine.toml")
    assert rs.device("mine.toml").levels.siemens == tuple(LEVELS.tolist())

"""The command about references: a list, entries for BibTeX, and what is refused."""

import re

import rramsim as rs


def test_a_list(done):
    out = done("cite", "rram-wan-2022")
    assert out == rs.cite("rram-wan-2022").text + "\n"
    assert out.startswith("[1] The rramsim developers, rramsim: a device-level simulator")
    assert "[2] W. Wan et al., " in out


def test_bibtex(done):
    out = done("cite", "star", "--bibtex")
    assert re.findall(r"^@(\w+)\{(.+),$", out, re.MULTILINE) == [
        ("software", "rramsim"),
        ("inproceedings", "zhai-2023"),
        ("inproceedings", "yang-2020"),
        ("software", "dnn-neurosim"),
    ]


def test_a_study_file(done, folder):
    (folder / "mine.toml").write_text('[device]\npreset = "sonos"\n', encoding="utf-8")
    assert "V. Agrawal et al., IEDM 2022, IEEE 10019564." in done("cite", "mine.toml")


def test_refused(refused, folder):
    assert "nothing is called 'rram-wan-2023'; did you mean 'rram-wan-2022'" in refused("cite", "rram-wan-2023")
    assert "none.h5: no such file" in refused("cite", "none.h5")
    (folder / "bad.toml").write_text('references = ["wan-2021"]\n', encoding="utf-8")
    assert "unknown reference 'wan-2021'; did you mean 'wan-2022'?" in refused("cite", "bad.toml")

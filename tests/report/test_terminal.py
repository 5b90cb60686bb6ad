"""Tables on the terminal."""

from rramsim.report.contents import tables
from rramsim.report.terminal import print_table, terminal
from rramsim.report.text import TextTable


def test_a_wide_table_is_printed_whole(swept, capsys):
    for table in tables(swept):
        print_table(terminal(), table)
    out = capsys.readouterr().out
    assert "…" not in out
    assert "mismatches" in out
    for table in tables(swept):
        for row in table.rows:
            assert any(all(cell in line for cell in row) for line in out.splitlines())


def test_long_text_in_the_last_column_may_be_broken(capsys):
    text = " ".join(["word"] * 60)
    print_table(terminal(), TextTable("title", ("name", "text"), [("first", text)]), wrap=True)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    assert " ".join(lines).split().count("word") == 60

"""What a report says in words."""

from rramsim.report.text import device_note, percent


def test_percent():
    assert percent(0.12346) == "12.35 %"
    assert percent(1) == "100.00 %"


def test_a_device_without_a_title_is_called_by_its_name():
    device = {"title": "", "name": "mine", "source": "Paper, table 2.", "note": "No drift."}
    assert device_note("Device", device) == ("Device", "mine. Paper, table 2. No drift.")
    assert device_note("Device", {**device, "title": "Cell"}).text.startswith("Cell. Paper")

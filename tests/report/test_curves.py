"""The figure of a device shows the curves that it is given, in units that can be read."""

from dataclasses import dataclass

import numpy as np
import pytest
from matplotlib.figure import Figure

from rramsim.report.curves import device_figure, fit_figure
from rramsim.report.style import picture
from rramsim.series import Series

G = np.linspace(1e-6, 40e-6, 5)
T = np.geomspace(1.0, 1e6, 7)
V = np.linspace(-0.5, 0.5, 11)
STATES = (4e-6, 20e-6, 36e-6)


@dataclass(frozen=True)
class Curves:
    """Curves of a device as the figure takes them."""

    states: tuple[float, ...] = STATES
    spread: tuple[Series, ...] = ()
    retention: tuple[Series, ...] = ()
    current: tuple[Series, ...] = ()
    noise: tuple[Series, ...] = ()
    levels: np.ndarray | None = None
    reads: bool = False


CURVES = Curves(
    spread=(
        Series("programming", G, 1e-6 + 0.01 * G),
        Series("device to device", G, 0.05 * G),
        Series("as verified", G, 0.02 * G, sampled=True),
    ),
    retention=tuple(Series(f"{g:g}", T, g * T**-0.05, 0.1 * g * T**0.01) for g in STATES),
    current=tuple(Series(f"{g:g}", V, g * np.sinh(V)) for g in STATES),
    noise=(Series("read noise", G, 0.01 * G),),
    levels=G,
)


def panels(curves=CURVES, **options):
    figure = device_figure(curves, title="a cell", **options)
    assert isinstance(figure, Figure)
    return figure, figure.axes


def labelled(axes):
    return {line.get_label(): line for line in axes.lines if not line.get_label().startswith("_")}


def test_spread():
    spread = panels()[1][0]
    lines = labelled(spread)
    assert list(lines) == ["programming", "device to device", "as verified", "levels"]
    for given in CURVES.spread:
        np.testing.assert_allclose(lines[given.label].get_xdata(), 1e6 * given.x)
        np.testing.assert_allclose(lines[given.label].get_ydata(), 1e6 * given.y)
    assert lines["as verified"].get_linestyle() == "None"
    np.testing.assert_allclose(lines["levels"].get_xdata(), 1e6 * G)
    assert (spread.get_xlabel(), spread.get_ylabel()) == ("conductance (uS)", "standard deviation (uS)")
    assert [text.get_text() for text in spread.get_legend().get_texts()] == list(lines)


def test_many_levels_are_not_marked():
    assert "levels" not in labelled(panels(Curves(spread=CURVES.spread, levels=np.linspace(0, 4e-5, 65)))[1][0])


def test_retention():
    axes = panels()[1][1]
    assert axes.get_xscale() == "log"
    for given, line, band in zip(CURVES.retention, axes.lines, axes.collections, strict=True):
        np.testing.assert_allclose(line.get_xdata(), T)
        np.testing.assert_allclose(line.get_ydata(), 1e6 * given.y)
        corners = band.get_paths()[0].vertices
        for sign in (-1, 1):
            edge = np.column_stack([T, 1e6 * (given.y + sign * given.deviation)])
            assert all(np.isclose(corners, corner).all(axis=1).any() for corner in edge)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1 s", "1 min", "1 h", "1 d"]
    assert "of a read" not in axes.get_xlabel()
    assert "of a read" in panels(Curves(retention=CURVES.retention, reads=True))[1][1].get_xlabel()


def test_a_band_never_goes_below_zero():
    line = Series("wide", T, np.full(7, 1e-6), np.full(7, 5e-6))
    axes = panels(Curves((1e-6,), retention=(line,)))[1][1]
    assert axes.collections[0].get_paths()[0].vertices[:, 1].min() == 0


def test_current():
    axes = panels()[1][2]
    solid, dashed = [[line for line in axes.lines if line.get_linestyle() == style][:3] for style in ("-", "--")]
    for given, state, curved, linear in zip(CURVES.current, STATES, solid, dashed, strict=True):
        np.testing.assert_allclose(curved.get_ydata(), 1e6 * given.y)
        np.testing.assert_allclose(linear.get_ydata(), 1e6 * state * V)
        assert curved.get_color() == linear.get_color()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("voltage (V)", "current (uA)")


def test_states_are_named_apart():
    """States that end alike are still named one above the other."""
    lines = tuple(Series(f"state {k}", T, np.full(7, 1e-6), np.full(7, 1e-7)) for k in range(3))
    texts = panels(Curves((1e-6,) * 3, retention=lines))[1][1].texts
    heights = [text.get_position()[1] for text in texts]
    assert [text.get_text() for text in texts] == ["state 0", "state 1", "state 2"]
    assert min(np.diff(heights)) > 0.06


def test_what_is_not_given_is_an_empty_frame():
    figure, axes = panels(Curves())
    assert [[text.get_text() for text in each.texts] for each in axes] == [["not given by the source"]] * 4
    assert all(not each.lines and not list(each.get_xticks()) for each in axes)
    assert figure.get_suptitle() == "a cell"
    other = panels(Curves(noise=CURVES.noise), absent="not measured")[1]
    assert [each.texts[0].get_text() if each.texts else "" for each in other] == ["not measured"] * 3 + [""]


def test_source_stands_below():
    assert panels(source="A. Author, Journal 1 (2020)")[0].get_supxlabel() == "Source: A. Author, Journal 1 (2020)"
    assert panels()[0].get_supxlabel() == ""


@pytest.mark.parametrize(("factor", "unit"), [(1e-3, "nS"), (1.0, "uS"), (1e3, "mS")])
def test_units_follow_the_values(factor, unit):
    axes = panels(Curves(noise=(Series("n", factor * G, 0.5 * factor * G),)))[1][3]
    assert axes.get_xlabel() == f"conductance ({unit})"
    np.testing.assert_allclose(axes.lines[0].get_xdata(), 1e6 * G)


@pytest.mark.thinned(3)
@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG\r\n"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_same_bytes(kind, start):
    one, other = (picture(panels()[0], kind) for _ in range(2))
    assert one == other
    assert one.startswith(start)


G_MEASURED, SIGMA, ERROR = np.array([5e-6, 20e-6]), np.array([2e-7, 4e-7]), np.array([1e-8, 3e-8])
SPREAD = (Series("measured", G_MEASURED, SIGMA, ERROR), Series("fitted", G, 0.02 * G))


def test_measured_cells_and_their_fit():
    (axes,) = fit_figure(SPREAD, title="lot 7").axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("conductance (uS)", "standard deviation (nS)")
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["fitted", "measured"]
    marks, *_ = axes.containers[0].lines
    np.testing.assert_allclose(marks.get_xdata(), 1e6 * G_MEASURED)
    np.testing.assert_allclose(marks.get_ydata(), 1e9 * SIGMA)
    bars = np.array(axes.containers[0].lines[2][0].get_segments())  # (points, ends, x and y)
    np.testing.assert_allclose(bars[:, :, 1], 1e9 * np.column_stack([SIGMA - ERROR, SIGMA + ERROR]))
    np.testing.assert_allclose(labelled(axes)["fitted"].get_ydata(), 1e9 * 0.02 * G)


def test_a_mean_that_stays_is_drawn_flat():
    """Changes of a few thousandths fill no axis; larger ones do."""
    time = np.array([1.0, 10.0])
    for change, span in ((0.003, 0.1), (0.4, 0.4)):
        retention = (Series("measured", time, np.array([1.0, 1.0 - change])), Series("fitted", time, np.ones(2)))
        low, high = fit_figure(SPREAD, retention, title="t").axes[1].get_ylim()
        assert low <= 1 - change < 1 <= high
        assert span <= high - low + 1e-9 < 1.2 * span

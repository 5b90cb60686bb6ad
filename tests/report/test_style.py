"""Pictures: the same figure gives the same bytes, in every format."""

import pytest

from rramsim.report.style import bare, new_figure, page_type, picture, ruled


def draw():
    figure = new_figure(3, 2)
    axes = figure.subplots()
    axes.plot([1, 2, 3], label="line")
    axes.legend()
    axes.set_xlabel("x")
    return figure


@pytest.mark.thinned(3)
@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG\r\n"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_same_bytes(kind, start):
    one, other = (picture(draw(), kind) for _ in range(2))
    assert one == other
    assert one.startswith(start)


def test_parts_of_two_pictures_on_a_page_have_names_of_their_own():
    assert picture(draw(), "svg", name="one") != picture(draw(), "svg", name="other")


def test_type_of_a_page_is_small_and_only_there():
    with page_type():
        small = picture(draw())
    assert small != picture(draw())


def test_frames_and_grids():
    left, right = new_figure(3, 2).subplots(1, 2)
    bare(left)
    ruled(right, "y")
    for axes in (left, right):
        assert [side for side in axes.spines if axes.spines[side].get_visible()] == ["left", "bottom"]
    assert not any(line.get_visible() for line in left.yaxis.get_gridlines())
    assert all(line.get_visible() for line in right.yaxis.get_gridlines())
    assert not any(line.get_visible() for line in right.xaxis.get_gridlines())

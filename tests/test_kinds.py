"""Parts that come in several kinds: which class is built, from a table or an object, and what is refused."""

from importlib.metadata import EntryPoint
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field

from rramsim.errors import SpecError
from rramsim.kinds import Kinds, KindSpec
from rramsim.spec import Spec


class ShapeSpec(KindSpec):
    """A shape."""

    discriminator: ClassVar[str] = "outline"
    colour: str = "red"


class SquareSpec(ShapeSpec):
    """A square.

    Parameters
    ----------
    side
        Its side.
    """

    outline: Literal["square"] = "square"
    side: float = Field(default=1.0, gt=0)


class CircleSpec(ShapeSpec):
    """A circle.

    Parameters
    ----------
    radius
        Its radius.
    """

    outline: Literal["circle"] = "circle"
    radius: float = 1.0


class OffSpec(ShapeSpec):
    """A kind from elsewhere."""

    outline: Literal["off"] = "off"


SHAPES = Kinds("shape", ShapeSpec, (SquareSpec, CircleSpec), "rramsim.test_shapes")


class HolderSpec(Spec):
    """Holds shapes."""

    shape: Annotated[ShapeSpec, SHAPES] = SquareSpec()
    maybe: Annotated[ShapeSpec, SHAPES] | None = None
    all: Annotated[tuple[Annotated[ShapeSpec, SHAPES], ...], Field(strict=False)] = ()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, SquareSpec()),
        ({"side": 2.0}, SquareSpec(side=2.0)),
        ({"outline": "circle", "radius": 3.0}, CircleSpec(radius=3.0)),
        (CircleSpec(), CircleSpec()),
    ],
)
def test_a_table_names_its_kind(given, expected):
    for holder in (HolderSpec(shape=given).shape, HolderSpec(maybe=given).maybe, HolderSpec(all=[given]).all[0]):
        assert type(holder) is type(expected)
        assert holder == expected


@pytest.mark.parametrize(
    ("given", "path", "words"),
    [
        ({"outline": "squarex"}, ("shape", "outline"), "did you mean 'square'"),
        ({"outline": 3}, ("shape", "outline"), "name of a shape"),
        (
            {"outline": "circle", "side": 1.0},
            ("shape", "side"),
            "unknown key: it belongs to outline = 'square'; got outline = 'circle'",
        ),
        ({"outline": "circle", "sides": 1.0}, ("shape", "sides"), "unknown key. Allowed here: colour"),
        ({"side": -1.0}, ("shape", "side"), "above 0. Its side."),
        (3, ("shape",), "a table of keys"),
    ],
)
def test_what_is_refused_says_where_and_why(given, path, words):
    with pytest.raises(SpecError) as refusal:
        HolderSpec(shape=given)
    ((at, sentence),) = refusal.value.problems
    assert at == path
    assert words in sentence


def test_all_problems_are_told_at_once():
    with pytest.raises(SpecError) as refusal:
        HolderSpec(shape={"side": 0.0, "colour": 1}, maybe={"outline": "x"})
    assert {path for path, _ in refusal.value.problems} == {
        ("shape", "side"),
        ("shape", "colour"),
        ("maybe", "outline"),
    }


def test_every_field_of_a_kind_is_written_out():
    holder = HolderSpec(shape=CircleSpec(radius=2.0))
    assert holder.model_dump(mode="json")["shape"] == {"outline": "circle", "colour": "red", "radius": 2.0}
    assert HolderSpec(**holder.model_dump(mode="json")) == holder


def test_a_change_of_kind_keeps_what_both_have():
    holder = HolderSpec(shape=SquareSpec(colour="blue"))
    assert holder.but({"shape.outline": "circle"}).shape == CircleSpec(colour="blue")
    assert holder.but({"shape.side": 3.0}).shape == SquareSpec(colour="blue", side=3.0)
    with pytest.raises(SpecError, match="side: unknown key"):
        HolderSpec(shape=SquareSpec(side=2.0)).but({"shape.outline": "circle"})


@pytest.fixture
def offered(monkeypatch):
    """Kinds that another package offers, by name."""
    entries = {
        "off": EntryPoint("off", f"{__name__}:OffSpec", "rramsim.test_shapes"),
        "missing": EntryPoint("missing", f"{__name__}:Nothing", "rramsim.test_shapes"),
        "other": EntryPoint("other", f"{__name__}:HolderSpec", "rramsim.test_shapes"),
        "alias": EntryPoint("alias", f"{__name__}:OffSpec", "rramsim.test_shapes"),
        "square": EntryPoint("square", f"{__name__}:OffSpec", "rramsim.test_shapes"),
    }
    monkeypatch.setattr("rramsim.kinds.offers", lambda _: entries)


@pytest.mark.usefixtures("offered")
def test_another_package_offers_a_kind():
    assert HolderSpec(shape={"outline": "off"}).shape == OffSpec()
    assert SHAPES.names == ["square", "circle", "alias", "missing", "off", "other"]
    assert HolderSpec(shape={"outline": "square"}).shape == SquareSpec()
    for name, words in (("missing", "cannot be loaded"), ("other", "ShapeSpec"), ("alias", "calls itself 'off'")):
        with pytest.raises(SpecError, match=words):
            HolderSpec(shape={"outline": name})


def test_a_base_is_no_kind():
    with pytest.raises(SpecError, match="is no kind"):
        ShapeSpec.kind_name()

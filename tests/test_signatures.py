"""Signatures: what all of the package agrees on, so that who knows one object knows the next."""

import inspect
import pkgutil
from importlib import import_module

import numpy as np
import pytest

import rramsim as rs
from rramsim.activity import Result
from rramsim.errors import SpecError
from rramsim.rng import Streams, as_streams

_OPTIONAL = ("rramsim.interop", "rramsim.model.train")
"""What needs packages that are not always there."""


def _modules():
    for module in pkgutil.walk_packages(rs.__path__, "rramsim."):
        if not module.name.startswith(_OPTIONAL):
            yield import_module(module.name)


CLASSES = sorted(
    {
        each
        for module in _modules()
        for each in vars(module).values()
        if inspect.isclass(each) and each.__module__.startswith("rramsim.")
    },
    key=lambda each: f"{each.__module__}.{each.__qualname__}",
)
METHODS = {
    f"{each.__name__}.{name}": method
    for each in CLASSES
    for name, method in vars(each).items()
    if inspect.isfunction(method) and (not name.startswith("_") or name == "__call__")
}
RANDOM = {
    name: method
    for name, method in METHODS.items()
    if str(method.__annotations__.get("rng", "")) == str(inspect.signature(as_streams).parameters["rng"].annotation)
}
PROGRAMMED = [each for each in CLASSES if each.__name__.startswith("Programmed") and not inspect.isabstract(each)]
AGELESS = {"ProgrammedAdc", "ProgrammedDac"}
"""Circuits without memory cells."""
WITHIN_OTHERS = {"ProgrammedArray", "ProgrammedTile"}
"""Parts of what is programmed, which draw and age as the whole does."""


def test_there_are_methods_that_draw():
    assert {"DeviceSpec.program", "ProgrammedMacro.apply", "ProgrammedCells.read"} <= RANDOM.keys()


@pytest.mark.parametrize("name", sorted(RANDOM))
def test_rng_is_the_last_keyword_and_fresh_by_default(name):
    parameters = list(inspect.signature(RANDOM[name]).parameters.values())
    assert parameters[-1].name == "rng"
    assert parameters[-1].kind is inspect.Parameter.KEYWORD_ONLY
    assert parameters[-1].default is None


@pytest.mark.parametrize("name", sorted(name for name, method in METHODS.items() if "mask" in method.__annotations__))
def test_a_mask_is_the_first_keyword(name):
    parameters = inspect.signature(METHODS[name]).parameters.values()
    keywords = [each.name for each in parameters if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert keywords[0] == "mask"


@pytest.mark.parametrize("kind", PROGRAMMED, ids=lambda kind: kind.__name__)
def test_what_is_programmed_keeps_its_seed_and_ages(kind):
    if kind.__name__ in WITHIN_OTHERS:
        return
    assert hasattr(kind, "seed") or "seed" in getattr(kind, "__dataclass_fields__", {})
    if kind.__name__ not in AGELESS:
        assert list(inspect.signature(kind.at).parameters) == ["self", "time_second"]


@pytest.mark.parametrize("name", ["build", "convert", "search", "later", "serial"])
def test_there_is_one_verb_for_each_thing(name):
    assert not [each for each in METHODS if each.endswith(f".{name}") and each.split(".")[0] in map(_name, PROGRAMMED)]


def _name(kind):
    return kind.__name__


@pytest.mark.parametrize("length_taker", sorted(name for name in METHODS if name.endswith(".turns")))
def test_turns_take_what_there_is_to_be_done(length_taker):
    names = list(inspect.signature(METHODS[length_taker]).parameters)
    of_what_is_written = [["self"]]  # a macro, whose matrix has its size
    assert names in (["self", "length"], ["self", "n_out"], ["self", "n_conversions"], *of_what_is_written)


class TestFreshNumbers:
    """Without ``rng`` every call draws anew, and what was drawn is known."""

    spec = rs.MacroSpec(device="rram-wan-2022")
    weights = np.random.default_rng(0).standard_normal((8, 4))
    x = np.random.default_rng(1).standard_normal((3, 8))

    def test_two_writes_differ_and_each_can_be_repeated(self):
        one, other = self.spec.program(self.weights), self.spec.program(self.weights)
        cells = [each.rows[0].tiles[0].array.cells for each in (one, other)]
        assert (cells[0].g != cells[1].g).any()
        again = self.spec.program(self.weights, rng=one.seed)
        np.testing.assert_array_equal(again.rows[0].tiles[0].array.cells.g, cells[0].g)

    def test_two_reads_differ_and_each_can_be_repeated(self):
        macro = self.spec.program(self.weights, rng=1)
        one, other = macro.apply(self.x), macro.apply(self.x)
        assert isinstance(one, Result)
        assert (one.values != other.values).any()
        np.testing.assert_array_equal(macro.apply(self.x, rng=one.seed).values, one.values)

    def test_a_branch_of_streams_is_repeated_by_itself(self):
        branch = Streams(3).child("tile", 1)
        cells = self.spec.device.program(np.full((4, 4), 20e-6), rng=branch)
        assert cells.seed == branch
        assert self.spec.device.program(np.full((4, 4), 20e-6), rng=3).seed == 3

    def test_an_average_over_reads_holds_less_noise(self):
        """The mean of n reads has a standard deviation of sigma / sqrt(n); within 5 sigma of that of 400 cells."""
        spec = rs.DeviceSpec(read_noise={"spread_siemens": 1e-6})
        cells = spec.program(np.full(400, 50e-6))
        mean = np.mean([cells.read() for _ in range(100)], axis=0)
        assert np.std(mean) == pytest.approx(0.1e-6, rel=5 / np.sqrt(2 * 400))


@pytest.mark.parametrize(
    "source",
    [np.random.default_rng(5), np.random.PCG64(5), np.random.SeedSequence(5), np.int64(5), 5, Streams(5)],
    ids=lambda source: type(source).__name__,
)
def test_whatever_gives_a_seed_is_taken(source):
    streams = as_streams(source)
    assert 0 <= streams.seed < 2**63
    assert as_streams(streams) is streams


@pytest.mark.parametrize("source", [-1, 1.5, "5", True, np.random.RandomState(1)])
def test_what_gives_no_seed_is_refused(source):
    with pytest.raises(SpecError, match="it is a seed"):
        as_streams(source)


def test_fresh_seeds_differ():
    assert len({as_streams(None).seed for _ in range(100)}) == 100

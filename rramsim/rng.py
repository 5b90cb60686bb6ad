"""Random streams by name: adding a consumer or changing the order of work shifts nobody else's numbers."""

import hashlib
from operator import index

import numpy as np

from .errors import SpecError

__all__ = ["RandomSource", "Seed", "Streams", "as_streams"]

_FRESH_BITS = 63
"""Bits of a seed that is drawn: whole numbers of files and tables hold it."""


class Streams:
    """One seed, and from it any number of independent generators, each found by its name.

    Parameters
    ----------
    seed
        The study's seed, any non-negative integer.
    path
        The names of the branch of the tree of streams that this object stands for.

    Notes
    -----
    A generator is seeded by ``numpy.random.SeedSequence(seed, spawn_key=...)`` with a spawn key that is a digest of its
    full path, so it depends on the seed and the path alone. A name is any text without the separator U+001F.
    """

    def __init__(self, seed: int, path: tuple[str, ...] = ()) -> None:
        self.seed = int(seed)
        self.path = path

    def child(self, *names: object) -> "Streams":
        """The branch below this one that belongs to ``names``."""
        return Streams(self.seed, self.path + tuple(str(name) for name in names))

    def generator(self, *names: object) -> np.random.Generator:
        """The generator of the leaf ``names``: fresh at each call, so the same name gives the same numbers again."""
        path = self.path + tuple(str(name) for name in names)
        text = "\x1f".join(path).encode()
        key = np.frombuffer(hashlib.blake2b(text, digest_size=16).digest(), dtype=np.uint32)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=tuple(int(word) for word in key)))

    @property
    def repeated_by(self) -> "Seed":
        """What gives these streams again as an ``rng``: the seed, or the streams themselves where they are a branch."""
        return self if self.path else self.seed

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Streams) and (self.seed, self.path) == (other.seed, other.path)

    def __hash__(self) -> int:
        return hash((self.seed, self.path))

    def __repr__(self) -> str:
        return f"Streams({self.seed}, {self.path})" if self.path else f"Streams({self.seed})"


Seed = int | Streams
"""What repeats a draw when it is given as ``rng`` again: ``result.seed``, or the ``seed`` of what was programmed."""

RandomSource = Streams | np.random.Generator | np.random.BitGenerator | np.random.SeedSequence | int | None
"""What every ``rng`` takes, as Scientific Python's SPEC 7 has it: None for fresh entropy, a seed, or what gives one."""


def as_streams(rng: RandomSource) -> Streams:
    """Streams from whatever a user passes as ``rng``.

    Parameters
    ----------
    rng
        None draws a seed from the entropy of the system; a generator is advanced by one draw; a seed gives its numbers
        again.

    Raises
    ------
    SpecError
        For what is none of them, and for a negative seed.
    """
    if isinstance(rng, Streams):
        return rng
    if rng is None:
        rng = np.random.SeedSequence()
    if isinstance(rng, np.random.SeedSequence):
        return Streams(int(rng.generate_state(1, np.uint64)[0]) >> (64 - _FRESH_BITS))
    if isinstance(rng, np.random.BitGenerator):
        rng = np.random.Generator(rng)
    if isinstance(rng, np.random.Generator):
        return Streams(int(rng.integers(2**_FRESH_BITS)))
    try:
        seed = -1 if isinstance(rng, bool) else index(rng)
    except TypeError:
        seed = -1
    if seed < 0:
        raise SpecError(
            f"rng: got {rng!r}; it is a seed (a whole number, at least 0), a numpy.random.Generator, BitGenerator or "
            "SeedSequence, rramsim.Streams, or None for fresh numbers at every call"
        )
    return Streams(seed)

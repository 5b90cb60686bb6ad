"""Random streams by name: adding a consumer or changing the order of work shifts nobody else's numbers."""

import hashlib

import numpy as np

__all__ = ["RandomSource", "Streams", "as_streams"]


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


RandomSource = Streams | np.random.Generator | int
"""What every ``rng`` argument takes: streams, a generator, or a plain seed."""


def as_streams(rng: RandomSource) -> Streams:
    """Streams from whatever a user passes as ``rng``; a generator is advanced by one draw."""
    if isinstance(rng, Streams):
        return rng
    if isinstance(rng, np.random.Generator):
        return Streams(int(rng.integers(2**63)))
    return Streams(rng)

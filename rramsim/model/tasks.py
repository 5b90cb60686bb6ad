"""Labelled data for the embedded workload: the 8 x 8 handwritten digits, split into training and test parts."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from rramsim.arrays import IntArray, Single
from rramsim.data import data_path
from rramsim.rng import Streams

__all__ = ["Task", "digits_task"]

TEST_SHARE = 1 / 3


@dataclass(frozen=True, eq=False)
class Task:
    """Labelled images and the one split of them that everything in rramsim uses.

    Parameters
    ----------
    name
        Name of the task.
    images
        Shape (n, side, side), float32, 0 (paper) to 1 (ink).
    labels
        Class of each image, shape (n,), integers from 0.
    train, test
        Indices of the images to learn from, and of those held out. Both are disjoint, have all classes in proportion,
        and are ordered so that every stretch of either has the classes in proportion too.
    """

    name: str
    images: Single
    labels: IntArray
    train: IntArray
    test: IntArray

    @property
    def train_images(self) -> Single:
        """The images to learn from, shape (n_train, side, side)."""
        return self.images[self.train]

    @property
    def train_labels(self) -> IntArray:
        """The classes of :attr:`train_images`, shape (n_train,)."""
        return self.labels[self.train]

    @property
    def test_images(self) -> Single:
        """The images held out, shape (n_test, side, side); the first few hundred are a fair subset."""
        return self.images[self.test]

    @property
    def test_labels(self) -> IntArray:
        """The classes of :attr:`test_images`, shape (n_test,)."""
        return self.labels[self.test]


@cache
def digits_task() -> Task:
    """Give the 1,797 handwritten digits of 8 x 8 pixels, of which 599 are held out.

    The split is always the same. The arrays are shared and read-only.

    References
    ----------
    E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository,
    DOI 10.24432/C50P49 (CC BY 4.0): the test part of that data set, split anew.
    """
    with data_path("digits.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
        images = stored["images"].astype(np.float32) / np.float32(16)
        labels = stored["labels"].astype(np.int64)
    train, test = stratified_split(labels, TEST_SHARE, Streams(0).generator("digits", "split"))
    for array in (images, labels, train, test):
        array.flags.writeable = False
    return Task("digits", images, labels, train, test)


def stratified_split(labels: IntArray, share: float, generator: np.random.Generator) -> tuple[IntArray, IntArray]:
    """Split indices at random into two parts, each with the classes in proportion.

    All members are put in an order in which the members of each class are spread evenly; the end of it is held out.

    Parameters
    ----------
    labels
        Class of each member, shape (n,).
    share
        Part of the members to hold out, 0 to 1; ``round(share * n)`` are.
    generator
        Source of the order.

    Returns
    -------
    Indices of the members that stay, and of those held out; in each, the classes are interleaved.
    """
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        place[members] = (np.arange(len(members)) + generator.random(len(members))) / len(members)
    order = np.argsort(place, kind="stable")
    n_train = len(labels) - round(share * len(labels))
    return order[:n_train], order[n_train:]

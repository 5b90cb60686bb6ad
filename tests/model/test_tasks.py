"""The digits and their split."""

import subprocess
import sys

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramsim.model.tasks import digits_task, stratified_split


def test_digits_equal_those_of_scikit_learn():
    datasets = pytest.importorskip("sklearn.datasets")
    digits, task = datasets.load_digits(), digits_task()
    np.testing.assert_array_equal(task.images * 16, digits.images)
    np.testing.assert_array_equal(task.labels, digits.target)


def test_images_are_single_precision_between_paper_and_ink():
    task = digits_task()
    assert task.images.shape == (1797, 8, 8)
    assert task.images.dtype == np.float32
    assert (task.images.min(), task.images.max()) == (0, 1)


def test_split_holds_out_a_third_and_shares_nothing():
    task = digits_task()
    assert (len(task.train), len(task.test)) == (1198, 599)
    np.testing.assert_array_equal(np.sort(np.concatenate((task.train, task.test))), np.arange(1797))
    np.testing.assert_array_equal(task.test_images, task.images[task.test])
    np.testing.assert_array_equal(task.train_labels, task.labels[task.train])


def test_any_first_images_of_the_test_part_have_the_classes_in_proportion():
    task = digits_task()
    share = np.bincount(task.labels) / len(task.labels)
    for count in (10, 30, 100, 300, 599):
        assert np.abs(np.bincount(task.test_labels[:count], minlength=10) - count * share).max() < 2


def test_split_is_the_same_in_another_process():
    code = "from rramsim.model.tasks import digits_task as d; print(d().test.tolist())"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert other.stdout.strip() == str(digits_task().test.tolist())


def test_split_does_not_move_between_releases():
    assert digits_task().test[:8].tolist() == [489, 916, 644, 483, 53, 474, 176, 1362]


def test_shared_arrays_are_read_only():
    task = digits_task()
    with pytest.raises(ValueError, match="read-only"):
        task.images[0] = 0


@given(hnp.arrays(np.int64, st.integers(1, 80), elements=st.integers(0, 4)), st.floats(0, 1), st.integers(0, 2**32))
def test_every_split_is_a_stratified_partition(labels, share, seed):
    train, test = stratified_split(labels, share, np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(np.concatenate((train, test))), np.arange(len(labels)))
    assert len(test) == round(share * len(labels))
    for label in np.unique(labels):
        expected = (labels == label).sum() * len(test) / len(labels)
        # Within a class the members stand at even distances, give or take one; five classes set the cut together.
        assert abs((labels[test] == label).sum() - expected) <= 5

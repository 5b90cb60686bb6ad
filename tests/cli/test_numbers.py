"""Numbers in files: what is written is read back, to the last bit; what cannot be read is in test_array."""

import io

import numpy as np
import pytest

from rramsim.cli.numbers import archive, by, number_file, read_numbers

VALUES = np.random.default_rng(3).uniform(-1, 1, (3, 4))


@pytest.mark.parametrize("ending", [".npy", ".csv"])
def test_there_and_back(tmp_path, ending):
    path = tmp_path / f"numbers{ending}"
    path.write_bytes(number_file(VALUES, ending))
    np.testing.assert_array_equal(read_numbers(path), VALUES)


def test_one_vector_is_one_line():
    assert number_file(np.array([0.1, 2.0]), ".csv") == b"0.1,2.0\n"


@pytest.mark.parametrize("values", [np.arange(3), np.array([True, False]), np.float32([0.5]), np.array(2.0)])
def test_real_numbers_of_any_kind(tmp_path, values):
    np.save(tmp_path / "values.npy", values)
    numbers = read_numbers(tmp_path / "values.npy")
    assert numbers.dtype == np.float64
    np.testing.assert_array_equal(numbers, values)


def test_archive():
    with np.load(io.BytesIO(archive(word=VALUES, bit=-VALUES))) as arrays:
        assert set(arrays) == {"word", "bit"}
        np.testing.assert_array_equal(arrays["bit"], -VALUES)


def test_shapes_in_words():
    assert [by(shape) for shape in ((6, 4), (3,), ())] == ["6 x 4", "3", "one number"]

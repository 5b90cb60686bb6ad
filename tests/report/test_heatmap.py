"""Heat maps of an array show the values that they are given, in units that can be read."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from rramsim.report.heatmap import output_errors, voltage_figure
from rramsim.report.style import picture


def draw(shape=(6, 4), signed=False, **changes):
    rng = np.random.default_rng(3)
    word = rng.uniform(-0.2 if signed else 0.15, 0.2, shape)
    bit = rng.uniform(0, 2e-3, shape)
    given = {
        "word": word,
        "bit": bit,
        "ideal_cell": np.full(shape, 0.2),
        "currents": rng.uniform(8e-6, 9e-6, shape[1]),
        "ideal_currents": np.full(shape[1], 1e-5),
        "title": "an array",
    } | changes
    return voltage_figure(**given), given


def test_what_is_shown():
    figure, given = draw()
    assert isinstance(figure, Figure)
    word, bit, cell, errors, *bars = figure.axes
    np.testing.assert_allclose(word.images[0].get_array(), 1e3 * given["word"])
    np.testing.assert_allclose(bit.images[0].get_array(), 1e3 * given["bit"])
    np.testing.assert_allclose(cell.images[0].get_array(), 500 * (given["word"] - given["bit"]))
    np.testing.assert_allclose([bar.get_height() for bar in errors.patches], 1e7 * given["currents"] - 100)
    assert [bar.get_ylabel() for bar in bars] == ["voltage (mV)"] * 2 + ["share of the voltage without wires (%)"]
    assert figure.get_suptitle() == "an array"
    assert errors.get_xlabel() == "bit line"
    assert "current without wires" in errors.get_ylabel()


def test_signed_voltages_diverge_from_zero():
    figure, _ = draw(signed=True)
    assert figure.axes[0].images[0].get_cmap().name == "RdBu_r"
    assert figure.axes[0].images[0].norm.vcenter == 0
    assert figure.axes[1].images[0].get_cmap().name == "viridis"


def test_a_rounding_error_has_no_sign():
    bit = np.full((6, 4), 1e-3)
    bit[0, 0] = -1e-19
    assert draw(bit=bit)[0].axes[1].images[0].get_cmap().name == "viridis"


def test_cells_without_an_ideal_voltage_are_left_open():
    ideal = np.full((6, 4), 0.2)
    ideal[2] = 0.0
    cell = draw(ideal_cell=ideal)[0].axes[2]
    assert cell.images[0].get_array().mask.all(axis=1).tolist() == [False, False, True, False, False, False]
    assert "grey" in cell.get_title()


def test_more_than_the_ideal_diverges_from_it():
    ideal = np.full((6, 4), 0.2)
    ideal[2] = 0.15
    cell = draw(ideal_cell=ideal)[0].axes[2]
    assert cell.images[0].norm.vcenter == 100


@pytest.mark.thinned(3)
@pytest.mark.parametrize(("shape", "volt"), [((1, 1), 0.2), ((200, 3), 0.0), ((3, 200), -0.2)])
def test_every_size_can_be_drawn(shape, volt):
    """Maps of a single value, too."""
    volts = np.full(shape, volt)
    zeros = np.zeros(shape)
    figure, _ = draw(shape, word=volts, bit=zeros, ideal_cell=volts, currents=zeros[0], ideal_currents=zeros[0])
    assert picture(figure).startswith(b"\x89PNG\r\n")


@pytest.mark.thinned(2)
@pytest.mark.parametrize("kind", ["svg", "pdf"])
def test_same_bytes(kind):
    one, other = (picture(draw()[0], kind) for _ in range(2))
    assert one == other


class TestOutputErrors:
    def test_relative_to_each(self):
        errors, measure = output_errors([0.9, -1.6], [1.0, -2.0])
        np.testing.assert_allclose(errors, [-0.1, -0.2])
        assert measure == "the current without wires"

    def test_relative_to_the_largest_where_some_all_but_cancel(self):
        errors, measure = output_errors([[0.9, -0.01], [-1.5, 0.0]], [[1.0, 0.01], [-2.0, 0.0]])
        np.testing.assert_allclose(errors, [[-0.05, -0.01], [-0.25, 0.0]])
        assert measure == "the largest current without wires"

    def test_nothing_flows(self):
        np.testing.assert_array_equal(output_errors([0.0, 0.0], [0.0, 0.0])[0], [0, 0])

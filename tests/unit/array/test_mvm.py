"""Written cells behind the lines of an array."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from reference import network

from rramsim.array.mvm import ProgrammedArray
from rramsim.array.network import WireSpec
from rramsim.device.base import DeviceSpec
from rramsim.device.cells import ProgrammedCells
from rramsim.device.noise import ReadNoiseSpec

DEVICE = DeviceSpec(g_max_siemens=1e-4, read_noise=ReadNoiseSpec(relative=0.02))
OHM = {"word_line_ohm": 8.0, "bit_line_ohm": 5.0, "driver_ohm": 90.0, "sense_ohm": 40.0}


def cells(shape, seed=0):
    return ProgrammedCells(DEVICE, np.random.default_rng(seed).uniform(1e-6, 1e-4, shape))


def test_transconductance_is_the_circuits():
    made = cells((5, 7))
    array = ProgrammedArray.wired(made, WireSpec(**OHM))
    assert_allclose(array.transconductance, network.transconductance(made.g, **OHM), rtol=1e-12)
    assert_array_equal(ProgrammedArray.wired(made, WireSpec()).transconductance, made.g)
    assert_allclose(array.row_conductance, made.g.sum(axis=1))
    assert array.cells is made


def test_stacked_arrays():
    made = cells((2, 3, 4, 5))
    array = ProgrammedArray.wired(made, WireSpec(**OHM))
    alone = ProgrammedArray.wired(made.part((1, 2)), WireSpec(**OHM))
    assert_array_equal(array.transconductance[1, 2], alone.transconductance)
    assert array.row_conductance.shape == (2, 3, 4)


def test_noise_without_wires_is_exact():
    """Deviation of the currents of 20 000 reads; a relative error above 4.5 / sqrt(2 n) = 2.3 % is a 1e-5 event.

    Each of the reads is of a row of equal arrays, so that one call draws them all.
    """
    made = cells((6, 4))
    array, v = ProgrammedArray.wired(made, WireSpec()), np.linspace(-0.2, 0.2, 6)
    rng = np.random.default_rng(1)
    many = ProgrammedCells(DEVICE, np.broadcast_to(made.g, (20000, 6, 4)))
    currents = v @ many.read(rng)
    deviation = np.sqrt(v**2 @ array.noise_deviation**2)
    assert_allclose(currents.std(axis=0), deviation, rtol=0.023)
    assert_allclose(currents.mean(axis=0), v @ made.g, atol=4.5 * deviation.max() / np.sqrt(20000))


@pytest.mark.parametrize("scale", [0.1, 1.0, 10.0])
def test_noise_through_wires(scale):
    """Against the derivative of every current by every conductance: never below, above by at most the wires' share."""
    made, v = cells((6, 5)), np.array([0.2, 0, 0.2, 0.2, 0, 0.2])
    ohm = {name: scale * value for name, value in OHM.items()}
    array = ProgrammedArray.wired(made, WireSpec(**ohm))
    currents = network.solve(made.g, v, **ohm).currents
    variance = np.zeros(5)
    for place in np.ndindex(6, 5):
        shifted = made.g.copy()
        shifted[place] *= 1 + 1e-6
        slope = (network.solve(shifted, v, **ohm).currents - currents) / 1e-6
        variance += (DEVICE.read_noise.relative * slope) ** 2
    modelled = np.sqrt(v**2 @ array.noise_deviation**2)
    taken = 1 - currents / (v @ made.g)
    excess = modelled / np.sqrt(variance) - 1
    assert (excess > 0).all()
    assert (excess < taken / (1 - taken)).all()

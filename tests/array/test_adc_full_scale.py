"""Full scale of converters, from representative currents."""

import numpy as np
import pytest

from rramsim.array.adc.sar import SarAdcSpec


def test_full_scale_is_the_quantile_of_the_magnitudes():
    currents = np.concatenate([np.linspace(-1e-6, 0, 51), np.linspace(0, 5e-7, 50)])
    assert SarAdcSpec().full_scale(currents, signed=True) == 1e-6
    covered = SarAdcSpec(coverage=0.8).full_scale(currents.reshape(1, 101), signed=True)
    assert np.mean(np.abs(currents) <= covered) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("fit", ["coverage", "error"])
def test_full_scale_of_zeros_is_usable(fit):
    assert SarAdcSpec(fit=fit).full_scale(np.zeros(3), signed=True) == 1.0
    # Even where what is covered, or looked at, is 0.
    assert SarAdcSpec(fit=fit, coverage=0.9).full_scale([0.0] * 99 + [2e-6], signed=False) == pytest.approx(2e-6)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("where", [slice(1, None, 2), slice(77_777, 77_778)])
def test_full_scale_of_least_error_is_not_blind_to_rare_currents(where, sign):
    # Every second of 150 000 would be zeros: any full scale would do.
    currents = np.zeros(150_000)
    currents[where] = sign * 2e-6
    full_scale = SarAdcSpec(fit="error").full_scale(currents, signed=True)
    assert conversion_error(currents, full_scale, 8, True) < 1e-4 * np.mean(currents**2)


def conversion_error(currents, full_scale, bits, signed):
    low, high = SarAdcSpec(bits=bits).code_range(signed=signed)
    step = full_scale / high
    return np.mean((currents - step * np.clip(np.rint(currents / step), low, high)) ** 2)


CURRENTS = {
    "normal": (lambda g: g.standard_normal(5000), True),
    "heavy tails": (lambda g: g.standard_t(4, 5000), True),
    "mostly negative": (lambda g: 1.0 - g.gamma(3.0, size=5000), True),
    "one sign": (lambda g: g.exponential(size=5000), False),
    "even": (lambda g: g.uniform(size=5000), False),
}


@pytest.mark.thinned(3)
@pytest.mark.parametrize("name", list(CURRENTS))
@pytest.mark.parametrize("bits", [2, 4, 6, 8])
def test_full_scale_of_least_error(name, bits):
    draw, signed = CURRENTS[name]
    currents = 1e-6 * draw(np.random.default_rng(bits))
    spec = SarAdcSpec(bits=bits, fit="error")
    full_scale = spec.full_scale(currents, signed=signed)
    assert full_scale == spec.full_scale(currents, signed=signed)
    # Equivariant; exactly so where a scale is a power of 2.
    assert 2.0**-10 * full_scale == spec.full_scale(2.0**-10 * currents, signed=signed)
    error = conversion_error(currents, full_scale, bits, signed)
    for coverage in (1.0, 0.999, 0.99, 0.9):
        covered = SarAdcSpec(bits=bits, coverage=coverage).full_scale(currents, signed=signed)
        assert error <= conversion_error(currents, covered, bits, signed) * 1.01
    dense = np.abs(currents).max() * np.linspace(0.02, 1.0, 1000)
    assert error <= min(conversion_error(currents, each, bits, signed) for each in dense) * 1.01
    if bits <= 4 and name != "even":
        largest = np.abs(currents).max()
        assert error < 0.9 * conversion_error(currents, largest, bits, signed)


def test_full_scale_of_least_error_uses_the_code_that_only_negative_currents_have():
    # Codes -2 .. 1: three equal groups at -2, -1 and 1 steps are exact; with codes -1 .. 1 they could not be.
    currents = np.repeat([-2e-6, -1e-6, 0.0, 1e-6], 100)
    full_scale = SarAdcSpec(bits=2, fit="error").full_scale(currents, signed=True)
    assert conversion_error(currents, full_scale, 2, True) < 1e-3 * np.mean(currents**2)
    assert full_scale == pytest.approx(1e-6, rel=0.03)


def test_full_scale_of_least_error_from_many_currents_looks_at_some_of_every_size():
    generator = np.random.default_rng(0)
    # Columns of different scales, one after another, as a macro gives them.
    currents = generator.standard_normal((100_000, 4)) * [0.1, 1.0, 1.0, 1.0]
    spec = SarAdcSpec(bits=4, fit="error")
    full_scale = spec.full_scale(currents, signed=True)
    assert full_scale == spec.full_scale(generator.permutation(currents.ravel()), signed=True)
    error = conversion_error(currents, full_scale, 4, True)
    dense = np.abs(currents).max() * np.linspace(0.2, 1.0, 40)
    assert error <= min(conversion_error(currents, each, 4, True) for each in dense) * 1.01

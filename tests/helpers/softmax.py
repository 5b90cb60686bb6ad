"""Softmax engines of the tests, and their comparison with the references."""

from collections import Counter

import numpy as np
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from reference import softmax as oracle

from rramsim.array.adc.sar import SarAdcSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.wires import WireSpec
from rramsim.cell.device import DeviceSpec
from rramsim.cell.faults import StuckSpec
from rramsim.cell.noise import ReadNoiseSpec
from rramsim.cell.spread import LognormalSpreadSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.fixed_point import FixedPointSpec
from rramsim.probe import ProbeRecorder

ON, OFF = 5e-5, 2e-6
LEAKY = DeviceSpec(g_min_siemens=OFF, g_max_siemens=ON)
SPREAD = LognormalSpreadSpec(spread_log=0.3)
ROUGH = LEAKY.but({"programming": SPREAD, "stuck": StuckSpec(on_fraction=0.01, off_fraction=0.02)})
FIXED = SenseSpec(reference="fixed")
WIRES = WireSpec(word_line_ohm=60.0, bit_line_ohm=120.0, driver_ohm=180.0, sense_ohm=60.0)
SMALL = SoftmaxSpec(format=FixedPointSpec(integer_bits=3, fraction_bits=1), lut_bits=5, device=LEAKY)
"""16 rows of 8 columns: small enough for the circuit to be solved row by row."""
NO_ERRORS = dict.fromkeys(oracle.KINDS, 0)
ALL_SCORES = np.arange(-8, 8)[None, :] / 2
"""All scores of ``SMALL`` in one vector."""
OPTIONS = [
    {},
    {"maximum": "bitwise"},
    {"subtract": "cmos"},
    {"sum_by": "adder"},
    {"maximum": "bitwise", "subtract": "cmos", "sum_by": "adder"},
]
FORMATS = st.tuples(st.integers(1, 8), st.integers(0, 7)).filter(lambda bits: 3 <= sum(bits) <= 9)
"""Integer and fraction bits."""


def lossless(bits, **errors):
    return SarAdcSpec(bits=bits, full_scale_from="lossless", **errors)


def formatted(integer_bits, fraction_bits, **changes):
    return SoftmaxSpec(format=FixedPointSpec(integer_bits=integer_bits, fraction_bits=fraction_bits), **changes)


NOISY = SMALL.but(
    device=DeviceSpec(
        g_min_siemens=5e-6, g_max_siemens=5e-5, programming=SPREAD, read_noise=ReadNoiseSpec(relative_deviation=0.15)
    ),
    divider_bits=5,
    sense=SenseSpec(noise=0.2, offset_spread=0.1),
    column_sense=SenseSpec(noise=0.15, offset_spread=0.1),
)
"""Every kind of error is common, none is certain."""
THERMAL = lossless(4, noise_lsb=0.6, offset_spread_lsb=0.3)
NOISES = {
    "sweep, array, counters": {},
    "bitwise": {"maximum": "bitwise"},
    "cmos": {"subtract": "cmos"},
    "adder": {"sum_by": "adder"},
    "converters": {"sum_adc": THERMAL},
    "bitwise, cmos, converters": {"maximum": "bitwise", "subtract": "cmos", "sum_adc": THERMAL},
    "small counters": {"counter_bits": 1},
    "small counters, converters": {"counter_bits": 2, "sum_adc": THERMAL},
    "precharged": {"sense": SenseSpec(kind="precharge", noise=0.15, offset_spread=0.05)},
    "full counters": {"counter_bits": 1, "overflow": "saturate"},
    "two bits a cell": {"lut_cell_bits": 2},
    "sense noise alone": {"device": LEAKY},
    "cell noise alone": {"sense": SenseSpec(), "column_sense": FIXED},
    "noise of the search alone": {"device": LEAKY, "column_sense": SenseSpec(), "sense": SenseSpec(noise=0.25)},
    "noise of the converters alone": {
        "device": LEAKY,
        "sense": SenseSpec(),
        "column_sense": SenseSpec(),
        "sum_adc": THERMAL,
    },
    "rare": {
        "device": LEAKY,
        "sense": SenseSpec(noise=0.16),
        "column_sense": SenseSpec(noise=0.16),
    },
    "very strong": {"sense": SenseSpec(noise=1.0), "column_sense": SenseSpec(noise=0.7)},
}
"""What makes an engine of ``NOISY``."""


def watch(unit, scores, rng=0, mask=None):
    """The result of a softmax unit, and the signals that its probe receives, by name."""
    recorder = ProbeRecorder()
    result = unit.apply(scores, probe=recorder, mask=mask, rng=rng)
    return result, {name: values for name, (values, _) in recorder.signals.items()}


def expected(spec, scores, mask=None):
    """Values and errors of the integer reference, vector by vector."""
    form, errors = spec.format, Counter(NO_ERRORS)
    x = np.asarray(scores, dtype=np.float64)
    present = ~np.isneginf(x) if mask is None else np.broadcast_to(mask, x.shape) & ~np.isneginf(x)
    low, high = form.decode(0), form.decode((1 << form.bits) - 1)
    errors["score_saturation"] = int((present & ~((x >= low) & (x <= high))).sum())
    values = np.zeros(x.shape)
    for place in np.ndindex(x.shape[:-1]):
        codes = [
            oracle.encode(score, form.integer_bits, form.fraction_bits) if there else None
            for score, there in zip(x[place], present[place], strict=True)
        ]
        exact = oracle.fixed_point(codes, spec)
        values[place] = exact["probability"]
        errors.update(exact["errors"])
    return values, dict(errors)


def assert_exact(spec, scores, mask=None, engine=None):
    """Values and every count of errors against the integers, watched or not."""
    engine = engine or spec.program()
    values, errors = expected(spec, scores, mask)
    for result in (engine.apply(scores, mask=mask), watch(engine, scores, mask=mask)[0]):
        assert_array_equal(result.values, values)
        assert result.errors == errors
    return errors


def check(engine, scores, mask=None, **some_errors):
    """Every step against the circuit; returns what was counted."""
    scores = np.atleast_2d(scores)
    result, signals = watch(engine, scores, mask=mask)
    circuit = oracle.star(engine, scores.tolist(), mask)
    for name in ("score_code", "max_row", "difference", "exponential", "probability"):
        assert_array_equal(signals[name], circuit[name], err_msg=name)
    for name in ("match", "selected"):
        for place in np.ndindex(scores.shape):
            assert set(np.nonzero(signals[name][place])[0]) == circuit[name][place[0]][place[1]], name
    assert_allclose(signals["sum"], circuit["sum"], rtol=1e-9, atol=1e-6)
    if engine.spec.sum_by == "counters":
        assert_array_equal(signals["histogram"], circuit["histogram"])
    assert_array_equal(result.values, circuit["probability"])
    assert result.errors == circuit["errors"]
    unwatched = engine.apply(scores, mask=mask, rng=0)
    assert_array_equal(unwatched.values, result.values)
    assert (unwatched.errors, unwatched.activity) == (result.errors, result.activity)
    for kind, count in some_errors.items():
        assert result.errors[kind] == count, kind
    return result.errors

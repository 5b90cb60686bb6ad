"""The product that is timed, the macros that take it in several ways, and the right codes."""

from collections.abc import Callable
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

import rramsim as rs
from rramsim.engine.macro import fused
from rramsim.engine.macro.mapping import input_pulses, quantize

__all__ = ["BATCH", "BITS", "OHM", "SIZE", "SLICES", "TIE", "TILE", "Check", "Setup", "kernel_alone"]

SIZE, BATCH, BITS, SLICES, TILE = 768, 128, 8, 4, 128
"""Rows and columns of the matrix, vectors, bits of an input, slices of a weight, rows and columns of a tile."""
TIE = 2.5e-4
"""Steps from the middle between two codes within which a sum in single precision may be rounded to either."""
OHM = 1.0


class Setup:
    """The product, the macros that take it in several ways, and what NumPy needs of them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        self.w, self.x = rng.standard_normal((SIZE, SIZE)), rng.random((BATCH, SIZE))
        self.device = rs.device("rram-wan-2022", read_noise=rs.ReadNoiseSpec())
        self.noisy_device = rs.device("rram-wan-2022", read_noise=rs.ReadNoiseSpec(relative_deviation=0.01))
        self.quiet, self.noisy = self.macro(), self.macro(device=self.noisy_device)
        self.t = [np.ascontiguousarray(row.columns.per_level[0]) for row in self.quiet.rows]
        adc = self.quiet.converters.adc
        self.low, self.high = np.float32(adc.code_min), np.float32(adc.code_max)
        codes, self.input_step = quantize(self.x, BITS, self.quiet.ranges.inputs, signed=False)
        pulses = input_pulses(codes, BITS, 1, signed=False, bipolar=False)
        bits = np.stack([pulse.levels for pulse in pulses]).astype(np.float32)
        self.bits = [np.ascontiguousarray(bits[..., k : k + TILE]) for k in range(0, SIZE, TILE)]
        """Pulses for each row of tiles, (BITS, BATCH, TILE)."""
        self.pulse_weights = np.array([pulse.weight for pulse in pulses], np.float32)
        self.slice_weights = self.quiet.spec.slice_weights.astype(np.float32)

    def macro(self, **options: Any) -> Any:
        """A written macro; its converters' range is found from some of the inputs."""
        adc = {"bits": 8, "full_scale_from": "calibrated", **options.pop("adc", {})}
        spec = rs.MacroSpec(
            device=options.pop("device", self.device),
            wires=rs.WireSpec(word_line_ohm=OHM, bit_line_ohm=OHM),
            adc=rs.SarAdcSpec(**adc),
            signed_inputs=False,
            tile_rows=TILE,
            tile_columns=TILE,
            **options,
        )
        return spec.program(self.w, spec.calibrate(self.w, self.x[:32]), rng=1)

    def codes_of(self, values: np.ndarray) -> np.ndarray:
        """Products as sums of codes."""
        spec, step_ampere = self.quiet.spec, self.quiet.converters.step_ampere
        per_code = step_ampere[0] / (spec.step_volt * spec.unit_siemens[0])
        return values / (self.quiet.weight_step * self.input_step * per_code)


def kernel_alone(macro: Any, x: np.ndarray) -> Callable[[], Any]:
    """The calls of the fused kernel that a product makes, to make them again without what is around them."""
    calls: list[tuple[Any, ...]] = []
    kernel = fused.bit_serial

    def noted(*arguments: Any) -> int:
        calls.append(arguments)
        return kernel(*arguments)

    with mock.patch.object(fused, "bit_serial", noted):
        macro.apply(x)
    if len(calls) != SIZE // TILE:
        raise RuntimeError(f"{len(calls)} calls of the kernel for {SIZE // TILE} rows of tiles")
    return lambda: [kernel(*arguments) for arguments in calls]


class Check(NamedTuple):
    """Sums of codes from products in double precision, and which of them have a conversion close to a tie."""

    codes: np.ndarray
    tied: np.ndarray

    @classmethod
    def of(cls, setup: Setup) -> "Check":
        codes, tied = np.zeros((BATCH, SIZE)), np.zeros((BATCH, SIZE), dtype=bool)
        for bits, t in zip(setup.bits, setup.t, strict=True):
            double = t.astype(np.float64)
            for k, pulse_weight in enumerate(setup.pulse_weights):
                sums = (bits[k].astype(np.float64) @ double).reshape(BATCH, SLICES, SIZE)
                tied |= (np.abs(sums - np.floor(sums) - 0.5) < TIE).any(axis=1)
                converted = np.clip(np.rint(sums), setup.low, setup.high)
                codes += pulse_weight * np.einsum("s,bso->bo", setup.slice_weights, converted)
        return cls(codes, tied)

    def __call__(self, codes: np.ndarray) -> str:
        """How many outputs differ; the text begins with "wrong" where that is more than ties."""
        if not np.allclose(codes, np.rint(codes), rtol=0, atol=1e-3):
            return "wrong: no integers"
        differ = np.rint(codes) != self.codes
        wrong = int((differ & ~self.tied).sum())
        return f"wrong: {wrong}" if wrong else f"{differ.sum()} of {differ.size}"

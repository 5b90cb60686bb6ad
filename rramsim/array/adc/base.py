"""The base of all converters: how they are built from what their circuit does."""

import numpy as np
from numpy.typing import NDArray

from rramsim.array.nonlinearity import inl_at
from rramsim.array.transfer import ideal_levels, random_walk
from rramsim.arrays import FloatArray
from rramsim.rng import RandomSource, Streams, as_streams

from .design import AdcDesign
from .programmed import ProgrammedAdc

__all__ = ["AdcSpec"]


class AdcSpec(AdcDesign):  # noqa: D101  (it stands in AdcDesign, once)
    __doc__ = AdcDesign.__doc__

    def program(self, n_converters: int, *, signed: bool, rng: RandomSource = None) -> ProgrammedAdc:
        """So many converters with their own errors; those of the first do not depend on the number.

        Parameters
        ----------
        n_converters
            How many.
        signed
            Whether currents have either sign.
        rng
            Streams, a generator, or a seed; None: fresh entropy, which the converters keep as ``seed``.
        """
        streams = as_streams(rng)
        offset = streams.generator("offset").standard_normal(n_converters)
        gain = streams.generator("gain").standard_normal(n_converters)
        low, _ = self.code_range(signed=signed)
        levels, codes = self._bent_steps(n_converters, streams)
        return ProgrammedAdc(
            spec=self,
            signed=signed,
            offset_lsb=self.offset_lsb + self.offset_spread_lsb * offset,
            gain=1.0 + self.gain_error + self.gain_spread * gain,
            levels=None if levels is None else levels + low,
            codes=None if codes is None else (codes + low).astype(np.int32),
            seed=streams.repeated_by,
        )

    def _bent_steps(self, n: int, streams: Streams) -> tuple[FloatArray | None, NDArray[np.int32] | None]:
        """Transitions and codes by the circuit and by the nonlinearity that is given; None where both are ideal."""
        circuit = self.steps(n, streams)
        if circuit is None and self.inl_lsb is None and not self.dnl_spread_lsb:
            return None, None
        n_levels = (1 << self.bits) - 1
        inl, walk = inl_at(self.inl_lsb, n_levels), np.zeros(n_levels)
        if self.dnl_spread_lsb:
            normal = streams.generator("widths").standard_normal((n, n_levels - 1))
            walk = random_walk(self.dnl_spread_lsb, normal)
        if circuit is not None and circuit.codes is not None:
            # The nonlinearity comes before a circuit whose codes may fold: it moves where an input arrives.
            at, shifts = np.arange(n_levels) + 0.5, np.broadcast_to(inl + walk, (n, n_levels))
            moved = [level + np.interp(level, at, shift) for level, shift in zip(circuit.levels, shifts, strict=True)]
            return np.maximum.accumulate(moved, axis=1), circuit.codes
        levels = np.tile(ideal_levels(self.bits), (n, 1)) if circuit is None else circuit.levels
        levels = np.maximum.accumulate(levels + inl + walk, axis=1)
        return levels, np.tile(np.arange(n_levels + 1, dtype=np.int32), (n, 1))

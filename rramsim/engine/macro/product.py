"""The programmed macro: how it multiplies, and how it ages."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from rramsim.activity import Result
from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, as_streams

from .account import CountedMatrix
from .batches import integer_products
from .held import checked_inputs
from .solving import NewtonCost, newton_cost
from .stored import write_macro
from .telegraph import products_in_states

__all__ = ["ProgrammedMacro"]


class ProgrammedMacro(CountedMatrix):
    """A matrix held in crossbars; call it, or :meth:`apply` it for the activity as well.

    Fields are those of :class:`rramsim.engine.macro.held.HeldMatrix`.
    """

    def __call__(self, x: ArrayLike, *, rng: RandomSource = None) -> FloatArray:
        """The product ``x @ weights``, (..., n_vectors, n_in) to (..., n_vectors, n_out), or of a single vector."""
        return self.apply(x, rng=rng).values

    def apply(
        self, x: ArrayLike, *, first_vector: int = 0, probe: Probe = NULL_PROBE, rng: RandomSource = None
    ) -> Result:
        """The product, what the hardware did for it, and the conversions that saturated.

        Parameters
        ----------
        x
            (..., n_vectors, n_in), or (n_in,); leading axes as those of the weights, or none: then for every matrix.
        first_vector
            Number of the first vector: a batch that is cut into pieces gets the noise of the whole, where each piece
            is given the number of its first vector and the same ``rng``.
        probe
            Receives ``column_current`` (ampere; pulse, ..., vector, output, slice, and the two lines where they are
            converted separately) of the first row of tiles, with gain, offset and noise of the converters, and
            ``adc_code``.
        rng
            For the noise of reads and converters: the same streams or seed give the same noise again, a generator goes
            on; None: fresh noise, whose seed the result keeps.
        """
        inputs, streams = checked_inputs(x, self.shape[-2]), as_streams(rng)
        if inputs.ndim == 1:
            single = self.apply(inputs[None], first_vector=first_vector, probe=probe, rng=streams)
            return replace(single, values=single.values[..., 0, :])
        codes, step = self.input_codes(self._for_every_matrix(inputs))
        slow_states = self.spec.telegraph_vectors and not self.spec.device.telegraph.ideal and codes.size
        products = products_in_states if slow_states else integer_products
        integers, errors = products(self, codes, streams, probe, first_vector)
        return Result(integers * (self.weight_step * step), self.activity_of(codes), errors, streams.repeated_by)

    def _for_every_matrix(self, inputs: FloatArray) -> FloatArray:
        """Inputs with the leading axes of the matrices, repeated where they had none."""
        try:
            leading = np.broadcast_shapes(inputs.shape[:-2], self.shape[:-2])
        except ValueError:
            raise SpecError(
                f"macro: leading axes {inputs.shape[:-2]} of the inputs do not fit {self.shape[:-2]} of the matrices"
            ) from None
        return np.broadcast_to(inputs, leading + inputs.shape[-2:])

    def column_currents(self, x: ArrayLike) -> FloatArray:
        """Noise-free currents of all columns, ampere, for all pulses and vectors: one flat array."""
        codes, _ = self.input_codes(self._for_every_matrix(np.asarray(x, dtype=np.float64)))
        pulses = [(pulse.weight, pulse.levels.astype(np.float64)) for pulse in self.spec.pulses(codes)]
        drives = [levels for _, levels in pulses]
        if self.spec.accumulate == "analog":
            drives = [sum(weight * levels for weight, levels in pulses) / np.abs(self.pulse_weights).sum()]
        currents = []
        for row in self.rows:
            cumulants = [row.cumulants, row.unit_cumulants] if self.spec.has_unit_column else [row.cumulants]
            for each in cumulants:
                t = self.spec.step_volt * each.mean.reshape(*self.shape[:-2], row.n_rows, -1)
                currents += [(drive[..., row.inputs] @ t).ravel() for drive in drives]
        return np.concatenate(currents)

    def newton_cost(self, n_vectors: int) -> NewtonCost:
        """What ``n_vectors`` input vectors will take with ``nonlinear="newton"``; one solution is timed for it."""
        return newton_cost(self, n_vectors)

    def at(self, time_second: float) -> "ProgrammedMacro":
        """The macro with its cells as they are ``time_second`` after they were written."""
        device = self.spec.device.but({"read_after_second": self.spec.device.checked_time(time_second)})
        spec = self.spec.but({"device": device})
        return replace(self, spec=spec, rows=tuple(row.rewired(spec) for row in self.rows))

    def save(self, path: str | Path) -> None:
        """Write the macro to an HDF5 file: cells, wires, converters and full scales; :func:`rramsim.load` reads it.

        Parameters
        ----------
        path
            Name of the file, ending in ``.h5``; it must not exist.

        Raises
        ------
        SpecError
            For another ending, for a macro that did not keep its cells, and for a kind of device of one's own.
        TraceError
            If the file exists or cannot be written; nothing is left behind then.
        """
        write_macro(self, path)

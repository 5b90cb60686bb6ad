"""The STAR softmax engine: maximum, difference, exponential and sum in crossbars, a divider at the end.

STAR: "An Efficient Softmax Engine for Attention Model with RRAM Crossbar", DATE 2023, arXiv 2401.17582.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rramsim.activity import Inventory, Result
from rramsim.array.cam import CamSpec
from rramsim.array.lut import LutSpec
from rramsim.array.sensing import SenseSpec
from rramsim.array.wired import ProgrammedArray
from rramsim.array.wires import WireSpec
from rramsim.array.words import digit_conductances
from rramsim.arrays import Single
from rramsim.cell.device import DeviceSpec
from rramsim.kernels.softmax import encode_scores
from rramsim.kernels.tables import EngineTable, Log, new_log
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Seed, as_streams
from rramsim.threads import scratch

from .account import activity, error_counts, inventory, turns
from .compile import compile_engine
from .design import SoftmaxDesign
from .held import HeldSoftmax
from .replay import replay
from .scores import checked_scores, not_finite
from .unit import ProgrammedSoftmaxUnit

__all__ = ["ProgrammedSoftmax", "SoftmaxSpec"]


class SoftmaxSpec(SoftmaxDesign):  # noqa: D101  (that of the fields)
    __doc__ = SoftmaxDesign.__doc__

    @property
    def inventory(self) -> Inventory:
        """Parts of one engine, for vectors of any length."""
        return inventory(self)

    def turns(self, length: int) -> dict[str, int]:
        """Uses of components that follow one another for one vector of ``length`` scores."""
        return turns(self, length)

    def program(self, *, rng: RandomSource = None) -> "ProgrammedSoftmax":
        """Write the four crossbars.

        Parameters
        ----------
        rng
            Streams, a generator, or a seed; None: fresh entropy, which the engine keeps as ``seed``.
        """
        streams, bits = as_streams(rng), self.format.bits
        shared: dict[str, Any] = {"device": self.device, "wires": self.wires}
        shared |= {"bank_rows": self.bank_rows, "read_volt": self.read_volt}
        cam = CamSpec(**shared, sense=self.sense)
        lut = LutSpec(**shared, cell_bits=self.lut_cell_bits, sense=self.column_sense)
        digits = self.exponential_digits
        # The last column of the VMM crossbar stays off: its current is the leakage to subtract from the others.
        levels = np.concatenate([digits, np.zeros((len(digits), 1), np.int64)], axis=1)
        g_target = digit_conductances(self.device, levels, self.lut_cell_bits)
        vmm = self.device.program(g_target, rng=streams.child("vmm"))
        normal = streams.generator("comparators").standard_normal((bits, 2))
        adc = None
        if self.sum_adc is not None:
            adc = self.sum_adc.program(digits.shape[1], signed=False, rng=streams.child("sum_adc"))
        return ProgrammedSoftmax(
            spec=self,
            cam_sub=cam.program(np.arange(1 << bits)[::-1], bits, rng=streams.child("cam_sub")),
            cam_exp=cam.program(np.arange(1 << (bits - 1)), bits, rng=streams.child("cam_exp")),
            lut=lut.program(self.exponentials, self.lut_bits, rng=streams.child("lut")),
            vmm=ProgrammedArray.banked(vmm, self.wires, self.read_volt, self.bank_rows),
            adc=adc,
            comparators=self.column_sense.offset_spread * normal,
            seed=streams.repeated_by,
        )


@dataclass(frozen=True)
class ProgrammedSoftmax(HeldSoftmax, ProgrammedSoftmaxUnit):
    """A written softmax engine; call it on scores, or :meth:`apply` it for activity and errors as well.

    The crossbars, converters and comparators are fields of :class:`~rramsim.engine.softmax.held.HeldSoftmax`.
    """

    spec: SoftmaxSpec
    seed: Seed | None = None

    def at(self, time_second: float) -> "ProgrammedSoftmax":
        """The engine with its cells ``time_second`` after they were written."""
        cells = self.vmm.cells.at(time_second)
        spec = self.spec.but({"device": cells.spec})
        return replace(
            self,
            spec=spec,
            cam_sub=self.cam_sub.at(time_second),
            cam_exp=self.cam_exp.at(time_second),
            lut=self.lut.at(time_second),
            vmm=ProgrammedArray.banked(cells, spec.wires, spec.read_volt, spec.bank_rows),
        )

    def apply(
        self,
        scores: ArrayLike,
        *,
        mask: ArrayLike | None = None,
        probe: Probe = NULL_PROBE,
        rng: RandomSource = None,
    ) -> Result:
        """Probabilities, activity, and every kind of error with its count.

        Parameters
        ----------
        scores
            (..., length), of any length; those out of the format's range saturate. Minus infinity takes no part.
            Single precision gives probabilities in single precision, which holds them exactly.
        mask
            Which scores take part: bool, in any shape that is broadcast to that of the scores. The others are skipped,
            and have the probability 0; so has every score of a vector in which none takes part.
        probe
            Receives, for the vectors one after another, ``score_code`` (-1 where masked), ``match`` (rows that fired,
            by score), ``max_row`` (-1 where all is masked), ``difference``, ``selected`` (rows of the second CAM),
            ``exponential`` (what the LUT read), ``histogram``, ``sum`` and ``probability``.
        rng
            For noise: the same streams or seed give the same noise again, a generator goes on; None: fresh noise, whose
            seed the result keeps. Each vector has random numbers of its own.

        Raises
        ------
        SpecError
            For scores that are nan or plus infinity or have no last axis, or a mask of another shape or type.

        Notes
        -----
        Errors counted: ``score_saturation``; ``false_match`` (rows that fired and should not have), ``missed_match``
        and ``multiple_match`` (searches) of either CAM; ``wrong_max`` (vectors); ``wrong_difference`` (elements),
        ``wrong_bit`` and ``wrong_exponential`` (bits and elements of the LUT, against the magnitude that was searched);
        ``counter_saturation``; ``wrong_sum`` (reads of the histogram, against the words that it stands for).
        """
        x, unmasked = checked_scores(scores, mask)
        form, table = self.spec.format, self.table
        rows = scratch(np.dtype(np.uint16), x.size)
        saturated, bad = encode_scores(x.ravel(), unmasked.ravel(), form.fraction_bits, form.bits, rows)
        if bad:
            raise not_finite(bad, x.size)
        rows = rows.reshape(-1, x.shape[-1])
        log = new_log(table, *rows.shape, trace=probe.active)
        if probe.active:
            code = (1 << form.bits) - 1 - rows.astype(np.int32)  # -1 where a score takes no part
            probe.record("score_code", code)
        streams = as_streams(rng)
        key = streams.generator("noise").integers(2**64, dtype=np.uint64)
        values = replay(table, rows, key, log)
        if probe.active:
            self._report(probe, log, values)
        errors = {"score_saturation": int(saturated), **error_counts(table, log)}
        # Steps of the quotient are exact in either precision.
        probabilities = values.reshape(x.shape).astype(x.dtype, copy=False)
        return Result(probabilities, activity(self, table, log, x.shape[-1]), errors, streams.repeated_by)

    @cached_property
    def table(self) -> EngineTable:
        """What the crossbars do to every score, compiled at the first use."""
        return compile_engine(self, self._perfect if self.spec.perfect_steps else self)

    @property
    def _perfect(self) -> "ProgrammedSoftmax":
        """An engine of this design without any error."""
        ideal = {"device": DeviceSpec(), "wires": WireSpec(), "sense": SenseSpec(), "column_sense": SenseSpec()}
        return self.spec.but({**ideal, "sum_adc": None, "perfect_steps": ()}).program(rng=0)

    def _report(self, probe: Probe, log: Log, values: Single) -> None:
        """Offer the signals of all steps: (n_vectors, length, ...)."""
        probe.record("match", log.match)
        probe.record("max_row", log.max_row)
        probe.record("difference", log.difference)
        probe.record("selected", log.selected)
        probe.record("exponential", log.exponential)
        probe.record("histogram", log.histogram)
        probe.record("sum", log.sum)
        probe.record("probability", values)

    @property
    def write_errors(self) -> dict[str, int]:
        """Cells that missed their target, where writes are verified."""
        cells = (self.cam_sub.cells, self.cam_exp.cells, self.lut.cells, self.vmm.cells)
        return {"write_failure": sum(each.n_failed for each in cells)} if self.spec.device.write.verified else {}

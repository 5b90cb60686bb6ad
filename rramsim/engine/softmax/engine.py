"""The STAR softmax engine: maximum, difference, exponential and sum in crossbars, a divider at the end.

STAR: "An Efficient Softmax Engine for Attention Model with RRAM Crossbar", DATE 2023, arXiv 2401.17582.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from rramsim.rng import RandomSource, as_streams
from rramsim.threads import scratch

from .account import activity, error_counts, inventory, serial
from .compile import compile_engine
from .design import SoftmaxDesign
from .held import HeldSoftmax
from .replay import replay
from .scores import checked_scores, not_finite

__all__ = ["ProgrammedSoftmax", "SoftmaxSpec"]


class SoftmaxSpec(SoftmaxDesign):  # noqa: D101  (that of the fields)
    __doc__ = SoftmaxDesign.__doc__

    def program(self, rng: RandomSource = 0) -> "ProgrammedSoftmax":
        """Write the four crossbars."""
        streams, bits = as_streams(rng), self.format.bits
        shared: dict[str, Any] = {"device": self.device, "wires": self.wires}
        shared |= {"bank_rows": self.bank_rows, "read_volt": self.read_volt}
        cam = CamSpec(**shared, sense=self.sense)
        lut = LutSpec(**shared, cell_bits=self.lut_cell_bits, sense=self.column_sense)
        digits = self.exponential_digits
        # The last column of the VMM crossbar stays off: its current is the leakage to subtract from the others.
        levels = np.concatenate([digits, np.zeros((len(digits), 1), np.int64)], axis=1)
        g_target = digit_conductances(self.device, levels, self.lut_cell_bits)
        vmm = self.device.program(g_target, streams.child("vmm"))
        normal = streams.generator("comparators").standard_normal((bits, 2))
        adc = None
        if self.sum_adc is not None:
            adc = self.sum_adc.program(digits.shape[1], signed=False, rng=streams.child("sum_adc"))
        return ProgrammedSoftmax(
            spec=self,
            cam_sub=cam.program(np.arange(1 << bits)[::-1], bits, streams.child("cam_sub")),
            cam_exp=cam.program(np.arange(1 << (bits - 1)), bits, streams.child("cam_exp")),
            lut=lut.program(self.exponentials, self.lut_bits, streams.child("lut")),
            vmm=ProgrammedArray.banked(vmm, self.wires, self.read_volt, self.bank_rows),
            adc=adc,
            comparators=self.column_sense.offset_spread * normal,
        )


@dataclass(frozen=True)
class ProgrammedSoftmax(HeldSoftmax):
    """A written softmax engine; call it on scores, or :meth:`apply` it for activity and errors as well.

    The crossbars, converters and comparators are fields of :class:`~rramsim.engine.softmax.held.HeldSoftmax`.
    """

    spec: SoftmaxSpec

    def __call__(self, scores: ArrayLike, rng: RandomSource = 0, mask: ArrayLike | None = None) -> NDArray[np.floating]:
        """Probabilities over the last axis, (..., length) to (..., length)."""
        return self.apply(scores, rng, mask=mask).values

    def apply(
        self,
        scores: ArrayLike,
        rng: RandomSource = 0,
        probe: Probe = NULL_PROBE,
        *,
        mask: ArrayLike | None = None,
    ) -> Result:
        """Probabilities, activity, and every kind of error with its count.

        Parameters
        ----------
        scores
            (..., length), of any length; those out of the format's range saturate. Minus infinity takes no part.
            Single precision gives probabilities in single precision, which holds them exactly.
        rng
            For noise: the same streams or seed give the same noise again, a generator goes on. Each vector has random
            numbers of its own.
        probe
            Receives, for the vectors one after another, ``score_code`` (-1 where masked), ``match`` (rows that fired,
            by score), ``max_row`` (-1 where all is masked), ``difference``, ``selected`` (rows of the second CAM),
            ``exponential`` (what the LUT read), ``histogram``, ``sum`` and ``probability``.
        mask
            Which scores take part: bool, in any shape that is broadcast to that of the scores. The others are skipped,
            and have the probability 0; so has every score of a vector in which none takes part.

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
        key = as_streams(rng).generator("noise").integers(2**64, dtype=np.uint64)
        values = replay(table, rows, key, log)
        if probe.active:
            self._report(probe, log, values)
        errors = {"score_saturation": int(saturated), **error_counts(table, log)}
        # Steps of the quotient are exact in either precision.
        return Result(
            values.reshape(x.shape).astype(x.dtype, copy=False), activity(self, table, log, x.shape[-1]), errors
        )

    @cached_property
    def table(self) -> EngineTable:
        """What the crossbars do to every score, compiled at the first use."""
        return compile_engine(self, self._perfect if self.spec.without_errors else self)

    @property
    def _perfect(self) -> "ProgrammedSoftmax":
        """An engine of this design without any error."""
        ideal = {"device": DeviceSpec(), "wires": WireSpec(), "sense": SenseSpec(), "column_sense": SenseSpec()}
        return self.spec.but({**ideal, "sum_adc": None, "without_errors": ()}).program()

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

    @property
    def inventory(self) -> Inventory:
        """Parts of one engine."""
        return inventory(self)

    def serial(self, length: int) -> dict[str, int]:
        """Uses of components that follow one another for one vector of ``length`` scores."""
        return serial(self.spec, length)

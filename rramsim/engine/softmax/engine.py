"""The STAR softmax engine: maximum, difference, exponential and sum in crossbars, a divider at the end.

STAR: "An Efficient Softmax Engine for Attention Model with RRAM Crossbar", DATE 2023, arXiv 2401.17582.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from rramsim.activity import Inventory, Result
from rramsim.array.adc import AdcSpec, ProgrammedAdc
from rramsim.array.cam import CamSpec, ProgrammedCam
from rramsim.array.lut import LutSpec, ProgrammedLut
from rramsim.array.sensing import SenseSpec
from rramsim.array.wired import ProgrammedArray
from rramsim.array.wires import WireSpec
from rramsim.array.words import digit_conductances, word_digits
from rramsim.arrays import FloatArray, IntArray, Single
from rramsim.cell.device import DeviceSpec
from rramsim.fixed_point import FixedPointSpec
from rramsim.kernels.softmax import encode_scores
from rramsim.kernels.tables import EngineTable, Log, new_log
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, as_streams
from rramsim.spec import Positive, Spec
from rramsim.threads import scratch

from .account import activity, error_counts, inventory, serial
from .replay import EngineParts, compile_engine, digital_subtract, replay, subtract_table, sum_table
from .scores import checked_scores, not_finite

__all__ = ["ProgrammedSoftmax", "SoftmaxSpec"]

Step = Literal["search", "subtract", "exponential", "lookup", "sum"]


class SoftmaxSpec(Spec):
    """A softmax engine of four crossbars; ideal cells and wires by default, then exact in its fixed point.

    Parameters
    ----------
    format
        Fixed-point format of the scores.
    lut_bits
        Width of the stored exponentials, round(exp(-d) (2^lut_bits - 1)), 2 to 16.
    lut_cell_bits
        Bits of them that a cell of the look-up table and of the sum holds, 1 to 4.
    counter_bits
        Width of the counters of the histogram.
    overflow
        Vectors that are longer than a counter can count: "flush" reads the sum out before one is full, adds it up, and
        clears the counters; "saturate" leaves a full counter full.
    sum_adc
        Converters of the columns of the sum; None: unlimited resolution. Its range is "lossless" (one code is one digit
        of a cell; more digits than codes saturate), "full" or "fixed".
    divider_bits
        Fraction bits of the probabilities, rounded to nearest.
    maximum
        "sweep": a priority encoder takes the first of all rows that the searches of a vector fired; "bitwise": one
        search for each leading bit finds out whether it meets such a row.
    subtract
        "array": the rows of a score and of the maximum against each other in the crossbar; "cmos": the difference of
        the row numbers that the priority encoder gives for each score.
    sum
        "counters": histogram and crossbar; "adder": a digital adder of the words that the look-up table reads.
    device
        Cells of all four crossbars.
    wires
        Lines of all four crossbars; see :class:`rramsim.CamSpec` for which line is which.
    bank_rows
        Rows of each crossbar between drivers of its column lines.
    read_volt, read_second
        Voltage and length of every read and search pulse.
    sense
        Sense amplifiers of the match lines.
    column_sense
        Sense amplifiers of the columns: the comparators of the difference, and those of the look-up table.
    without_errors
        Steps that are taken to be perfect, to tell what the others do: ideal cells, no wires, ideal amplifiers.

    Notes
    -----
    How wide a format has to be depends on the scores; STAR takes 7 to 9 bits.
    """

    format: FixedPointSpec
    lut_bits: int = Field(default=8, ge=2, le=16)
    lut_cell_bits: int = Field(default=1, ge=1, le=4)
    counter_bits: int = Field(default=10, ge=1, le=20)
    overflow: Literal["flush", "saturate"] = "flush"
    sum_adc: AdcSpec | None = None
    divider_bits: int = Field(default=8, ge=2, le=24)
    maximum: Literal["sweep", "bitwise"] = "sweep"
    subtract: Literal["array", "cmos"] = "array"
    sum: Literal["counters", "adder"] = "counters"
    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    bank_rows: int = Field(default=64, ge=1, le=4096)
    read_volt: Positive = 0.2
    read_second: Positive = 10e-9
    sense: SenseSpec = Field(default_factory=SenseSpec)
    column_sense: SenseSpec = Field(default_factory=SenseSpec)
    without_errors: Annotated[tuple[Step, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _check(self) -> "SoftmaxSpec":
        if self.column_sense.kind != "current":
            raise ValueError(
                f"column_sense.kind is 'current', since columns add currents up; got {self.column_sense.kind!r}"
            )
        if self.sum_adc is not None and self.sum_adc.range == "calibrated":
            raise ValueError(
                "sum_adc.range is 'lossless', 'full' or 'fixed'; got 'calibrated', but the currents of the sum follow "
                "from how many scores are alike, and the histogram must be counted in whole cells"
            )
        return self

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by magnitude of the difference."""
        distance = np.arange(1 << (self.format.bits - 1)) / 2.0**self.format.fraction_bits
        return np.asarray(np.rint(np.exp(-distance) * ((1 << self.lut_bits) - 1)), dtype=np.int64)

    @property
    def random(self) -> bool:
        """Whether two engines, or two runs of one, differ."""
        amplifiers = any(each.offset_spread or each.noise for each in (self.sense, self.column_sense))
        return self.device.random or amplifiers or (self.sum_adc is not None and self.sum_adc.random)

    def program(self, rng: RandomSource = 0) -> "ProgrammedSoftmax":
        """Write the four crossbars."""
        streams, bits = as_streams(rng), self.format.bits
        shared: dict[str, Any] = {"device": self.device, "wires": self.wires}
        shared |= {"bank_rows": self.bank_rows, "read_volt": self.read_volt}
        cam = CamSpec(**shared, sense=self.sense)
        lut = LutSpec(**shared, cell_bits=self.lut_cell_bits, sense=self.column_sense)
        digits = word_digits(self.exponentials, self.lut_bits, self.lut_cell_bits)
        # The last column of the VMM crossbar stays off: its current is the leakage to subtract from the others.
        levels = np.concatenate([digits, np.zeros((len(digits), 1), np.int64)], axis=1)
        g_target = digit_conductances(self.device, levels, self.lut_cell_bits)
        vmm = self.device.program(g_target, streams.child("vmm"))
        normal = streams.generator("comparators").standard_normal((bits, 2))
        adc = None
        if self.sum_adc is not None:
            adc = self.sum_adc.build(digits.shape[1], signed=False, rng=streams.child("sum_adc"))
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
class ProgrammedSoftmax:
    """Four written crossbars; call it on scores, or :meth:`apply` it for activity and errors as well.

    Parameters
    ----------
    spec
        What was asked.
    cam_sub
        Every representable score, in descending order: finds the row of a score, and subtracts two rows.
    cam_exp
        Every magnitude of a difference; as wide as ``cam_sub``, as published.
    lut
        Exponentials, on the match lines of ``cam_exp``.
    vmm
        The same exponentials and one empty column, for the sum.
    adc
        Converters of its columns.
    comparators
        (bits, 2) offsets of those of the difference, as shares of the current of a cell over its whole window.
    """

    spec: SoftmaxSpec
    cam_sub: ProgrammedCam
    cam_exp: ProgrammedCam
    lut: ProgrammedLut
    vmm: ProgrammedArray
    adc: ProgrammedAdc | None
    comparators: FloatArray

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
        x, taken = checked_scores(scores, mask)
        form, table = self.spec.format, self._table
        rows = scratch(np.dtype(np.uint16), x.size)
        saturated, bad = encode_scores(x.ravel(), taken.ravel(), form.fraction_bits, form.bits, rows)
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
    def _parts(self) -> EngineParts:
        """The engine with perfect parts for the steps without errors."""
        spec = self.spec
        digits = word_digits(spec.exponentials, spec.lut_bits, spec.lut_cell_bits)
        array, adc = (None, None) if "sum" in spec.without_errors else (self.vmm, self.adc)
        total = sum_table(array, digits, spec.lut_cell_bits, spec.read_volt, adc)
        subtract = digital_subtract()
        if spec.subtract == "array":
            cam = self._part("subtract").cam_sub
            subtract = subtract_table(cam, self._part("subtract").spec.column_sense, self._part("subtract").comparators)
        return EngineParts(
            search=self._part("search").cam_sub,
            select=self._part("exponential").cam_exp,
            subtract=subtract,
            lookup=self._part("lookup").lut,
            total=total._replace(mode=0) if spec.sum == "adder" else total,
            words=spec.exponentials,
            bitwise=spec.maximum == "bitwise",
            counter_bits=spec.counter_bits,
            flush=spec.overflow == "flush",
            divider_bits=spec.divider_bits,
        )

    @cached_property
    def _perfect(self) -> "ProgrammedSoftmax":
        """The same engine with no errors at all."""
        ideal = {"device": DeviceSpec(), "wires": WireSpec(), "sense": SenseSpec(), "column_sense": SenseSpec()}
        return self.spec.but({**ideal, "sum_adc": None, "without_errors": ()}).program()

    def _part(self, step: Step) -> "ProgrammedSoftmax":
        return self._perfect if step in self.spec.without_errors else self

    @cached_property
    def _table(self) -> EngineTable:
        return compile_engine(self._parts)

    def _report(self, probe: Probe, log: Log, values: Single) -> None:
        """Offer the signals of all steps: (n_vectors, length, ...)."""
        probe.record("match", log.match)
        probe.record("max_row", log.row)
        probe.record("difference", log.difference)
        probe.record("selected", log.selected)
        probe.record("exponential", log.exponential)
        probe.record("histogram", log.histogram)
        probe.record("sum", log.total)
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

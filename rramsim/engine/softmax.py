"""The STAR softmax engine: maximum, difference, exponential and sum in crossbars, a divider at the end.

STAR: "An Efficient Softmax Engine for Attention Model with RRAM Crossbar", DATE 2023, arXiv 2401.17582.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from rramsim.activity import Activity, Inventory, Result
from rramsim.array.cam import CamSpec, MatchSets, ProgrammedCam
from rramsim.array.lut import LutSpec, ProgrammedLut
from rramsim.array.mvm import ProgrammedArray
from rramsim.array.wires import WireSpec
from rramsim.device.base import DeviceSpec
from rramsim.errors import SpecError
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Streams, as_streams
from rramsim.spec import FixedPointSpec, Positive, Spec, word_bits

__all__ = ["ProgrammedSoftmax", "SoftmaxSpec"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_TABLE_COUNTER_BITS = 32
"""Width of the counter of the cost tables; narrower ones are counted as a fraction of it."""


class SoftmaxSpec(Spec):
    """A softmax engine of four crossbars; ideal cells and wires by default, then exact in its fixed point.

    Parameters
    ----------
    format
        Fixed-point format of the scores.
    lut_bits
        Width of the stored exponentials, round(exp(-d) (2^lut_bits - 1)), 2 to 16.
    counter_bits
        Width of the counters of the histogram; a full counter stays full.
    sum_adc_bits
        Resolution of the converters behind the sum; one code is the current of one conducting cell. None is unlimited.
    divider_bits
        Fraction bits of the probabilities, rounded to nearest.
    device
        Cells of all four crossbars.
    wires
        Lines of all four crossbars; see :class:`rramsim.CamSpec` for which line is which.
    bank_rows
        CAM rows between drivers of the search lines.
    read_volt, read_second
        Voltage and length of every read and search pulse.
    """

    format: FixedPointSpec
    lut_bits: int = Field(default=8, ge=2, le=16)
    counter_bits: int = Field(default=10, ge=1, le=20)
    sum_adc_bits: int | None = Field(default=None, ge=4, le=10)
    divider_bits: int = Field(default=8, ge=2, le=24)
    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    bank_rows: int = Field(default=64, ge=1, le=4096)
    read_volt: Positive = 0.2
    read_second: Positive = 10e-9

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by magnitude of the difference."""
        distance = np.arange(1 << (self.format.bits - 1)) / 2.0**self.format.fraction_bits
        return np.asarray(np.rint(np.exp(-distance) * ((1 << self.lut_bits) - 1)), dtype=np.int64)

    def program(self, rng: RandomSource = 0) -> "ProgrammedSoftmax":
        """Write the four crossbars."""
        streams, bits = as_streams(rng), self.format.bits
        cam = CamSpec(device=self.device, wires=self.wires, bank_rows=self.bank_rows, read_volt=self.read_volt)
        lut = LutSpec(device=self.device, wires=self.wires, read_volt=self.read_volt)
        stored = word_bits(self.exponentials, self.lut_bits)
        # The last column of the VMM crossbar stays off: its current is the leakage to subtract from the others.
        levels = np.concatenate([stored, np.zeros((len(stored), 1), dtype=bool)], axis=1)
        g_target = np.where(levels, self.device.g_max_siemens, self.device.g_min_siemens)
        return ProgrammedSoftmax(
            spec=self,
            cam_sub=cam.program(np.arange(1 << bits)[::-1], bits, streams.child("cam_sub")),
            cam_exp=cam.program(np.arange(1 << (bits - 1)), bits, streams.child("cam_exp")),
            lut=lut.program(self.exponentials, self.lut_bits, streams.child("lut")),
            vmm=ProgrammedArray.wired(self.device.program(g_target, streams.child("vmm")), self.wires, self.read_volt),
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
    """

    spec: SoftmaxSpec
    cam_sub: ProgrammedCam
    cam_exp: ProgrammedCam
    lut: ProgrammedLut
    vmm: ProgrammedArray

    def __call__(self, scores: ArrayLike, rng: RandomSource = 0) -> FloatArray:
        """Probabilities over the last axis, (..., length) to (..., length)."""
        return self.apply(scores, rng).values

    def apply(self, scores: ArrayLike, rng: RandomSource = 0, probe: Probe = NULL_PROBE) -> Result:
        """Probabilities, activity, and every kind of error with its count.

        Parameters
        ----------
        scores
            (..., length), finite; those out of the format's range saturate.
        rng
            For read noise: the same streams or seed give the same noise again, a generator goes on.
        probe
            Receives ``score_code``, ``match`` (rows that fired, by score), ``max_row``, ``difference``, ``exponential``
            (what the LUT read), ``sum`` and ``probability``.

        Notes
        -----
        Errors counted: ``score_saturation``; ``false_match`` and ``missed_match`` (rows) of either CAM; ``wrong_max``
        (vectors); ``wrong_difference``, ``wrong_exponential`` (elements, against their own input at that step);
        ``wrong_sum`` (vectors, against the sum of the words that the histogram stands for).
        """
        x = np.asarray(scores, dtype=np.float64)
        if x.ndim == 0 or 0 in x.shape or not np.isfinite(x).all():
            raise SpecError(f"softmax: scores are finite numbers of shape (..., length); got shape {x.shape}")
        streams = as_streams(rng)
        codes = self.spec.format.encode(x).reshape(-1, x.shape[-1])
        n_vectors, length = codes.shape

        found = self.cam_sub.search(codes.ravel(), streams.child("cam_sub"))
        max_row = self._max_row(found).reshape(codes.shape).min(axis=1)
        max_row = np.minimum(max_row, self.cam_sub.n_rows - 1)
        difference = self._subtract(found, np.repeat(max_row, length), streams)
        magnitude = np.minimum(np.abs(difference), self.cam_exp.n_rows - 1)
        selected = self.cam_exp.search(magnitude, streams.child("cam_exp"))
        exponential = self.lut.read(selected, streams.child("lut")).reshape(codes.shape)
        histogram = self._histogram(selected, n_vectors, length)
        total = self._sum(histogram, streams)

        scale = 1 << self.spec.divider_bits
        with np.errstate(divide="ignore", invalid="ignore"):
            quotient = np.floor(exponential * scale / total[:, None] + 0.5) / scale
        probability = np.where(total[:, None] > 0, np.clip(quotient, 0.0, 1.0), 0.0)

        if probe.active:
            probe.record("score_code", codes.astype(np.int32))
            probe.record("match", found.table[found.ids].reshape(*codes.shape, -1))
            probe.record("max_row", max_row.astype(np.int32))
            probe.record("difference", difference.reshape(codes.shape).astype(np.int32))
            probe.record("exponential", exponential.astype(np.int32))
            probe.record("sum", total)
            probe.record("probability", probability)
        errors = self._errors(x, codes, found, max_row, difference, magnitude, selected, exponential, histogram, total)
        activity = self._activity(codes, found, max_row, magnitude, selected, histogram)
        return Result(probability.reshape(x.shape), activity, errors)

    def _max_row(self, found: MatchSets) -> IntArray:
        """First row that fired in each search, or n_rows where none did."""
        first = np.where(found.table.any(axis=1), found.table.argmax(axis=1), self.cam_sub.n_rows)
        return np.asarray(first[found.ids])

    @cached_property
    def _bit_columns(self) -> tuple[FloatArray, FloatArray]:
        """Row to true-bit-column currents of the CAM/SUB crossbar, ampere, and the variance of their noise."""
        array, volt = self.cam_sub.driven_rows, self.spec.read_volt
        return volt * array.transconductance[:, 0::2], (volt * array.noise_deviation[:, 0::2]) ** 2

    def _subtract(self, found: MatchSets, max_row: IntArray, streams: Streams) -> IntArray:
        """Score minus maximum, in codes: rows of the score at +V, row of the maximum at -V, two comparators a column.

        The two are read one after the other, each with noise of its own, since the rows of a score may hold that of the
        maximum.
        """
        volt, variance = self._bit_columns
        rows = found.table.astype(np.float64)
        current = (rows @ volt)[found.ids] - volt[max_row]
        if self.spec.device.noisy:
            deviation = np.sqrt((rows @ variance)[found.ids] + variance[max_row])
            current += deviation * streams.generator("sub").standard_normal(current.shape)
        threshold = 0.5 * self.spec.read_volt * self.spec.device.window_siemens
        digit = (current > threshold).astype(np.int64) - (current < -threshold)
        return digit @ (1 << np.arange(digit.shape[-1] - 1, -1, -1))

    def _histogram(self, selected: MatchSets, n_vectors: int, length: int) -> IntArray:
        """How often each match line fired over each vector: (n_vectors, rows of cam_exp), saturating."""
        per_set = selected.table.sum(axis=1)
        starts = np.cumsum(per_set) - per_set
        fired_rows = np.nonzero(selected.table)[1]
        n_fired = per_set[selected.ids]
        vector = np.repeat(np.repeat(np.arange(n_vectors), length), n_fired)
        offset = np.arange(n_fired.sum()) - np.repeat(np.cumsum(n_fired) - n_fired, n_fired)
        row = fired_rows[np.repeat(starts[selected.ids], n_fired) + offset]
        n_rows = self.cam_exp.n_rows
        counts = np.bincount(vector * n_rows + row, minlength=n_vectors * n_rows).reshape(n_vectors, n_rows)
        return np.minimum(counts, (1 << self.spec.counter_bits) - 1)

    def _sum(self, histogram: IntArray, streams: Streams) -> FloatArray:
        """Histogram times exponentials, bit by bit of the counters, column by column of the words."""
        spec, volt = self.spec, self.spec.read_volt
        t = volt * self.vmm.transconductance
        variance = (volt * self.vmm.noise_deviation) ** 2
        unit = volt * spec.device.window_siemens
        generator = streams.generator("vmm")
        column_weight = 2.0 ** np.arange(spec.lut_bits - 1, -1, -1)
        total = np.zeros(len(histogram))
        for k in range(int(histogram.max(initial=0)).bit_length()):
            drive = ((histogram >> k) & 1).astype(np.float64)
            current = drive @ t
            if spec.device.noisy:
                current += np.sqrt(drive @ variance) * generator.standard_normal(current.shape)
            cells = (current[:, :-1] - current[:, -1:]) / unit
            if spec.sum_adc_bits is None:
                # Takes away the rounding of float64, so that where ideal cells make a tie the divider sees a tie.
                cells = np.round(cells, 9)
            else:
                cells = np.clip(np.rint(cells), 0, (1 << spec.sum_adc_bits) - 1)
            total += 2.0**k * (cells @ column_weight)
        return total

    def _errors(
        self,
        scores: FloatArray,
        codes: IntArray,
        found: MatchSets,
        max_row: IntArray,
        difference: IntArray,
        magnitude: IntArray,
        selected: MatchSets,
        exponential: IntArray,
        histogram: IntArray,
        total: FloatArray,
    ) -> dict[str, int]:
        top = self.cam_sub.n_rows - 1
        false_sub, missed_sub = _wrong_matches(found, top - codes.ravel())
        false_exp, missed_exp = _wrong_matches(selected, magnitude)
        right_difference = codes.ravel() - np.repeat(top - max_row, codes.shape[1])
        words = self.spec.exponentials
        right_sum = histogram @ words
        bits = self.spec.format
        limit = bits.decode([0, top])
        return {
            "score_saturation": int(((scores < limit[0]) | (scores > limit[1])).sum()),
            "false_match": false_sub + false_exp,
            "missed_match": missed_sub + missed_exp,
            "wrong_max": int((top - max_row != codes.max(axis=1)).sum()),
            "wrong_difference": int((difference != right_difference).sum()),
            "wrong_exponential": int((exponential.ravel() != words[magnitude]).sum()),
            "wrong_sum": int((np.abs(total - right_sum) > 0.5).sum()),
        }

    def _activity(
        self,
        codes: IntArray,
        found: MatchSets,
        max_row: IntArray,
        magnitude: IntArray,
        selected: MatchSets,
        histogram: IntArray,
    ) -> Activity:
        spec, bits = self.spec, self.spec.format.bits
        n_vectors, n_elements = len(codes), codes.size
        planes = self._planes(codes.shape[1])
        conversions = n_vectors * planes * spec.lut_bits
        n_banks = len(self.cam_sub.banks) + len(self.cam_exp.banks)
        rows_power = spec.read_volt**2 * self.cam_sub.driven_rows.row_conductance
        lut_power = spec.read_volt**2 * self.lut.array.row_conductance
        vmm_power = spec.read_volt**2 * self.vmm.row_conductance
        counted = sum(((histogram >> k) & 1).sum(axis=0) for k in range(planes))
        watt = (
            self.cam_sub.search_watt[codes].sum()
            + self.cam_exp.search_watt[magnitude].sum()
            + (found.table @ rows_power)[found.ids].sum()
            + rows_power[max_row].sum() * codes.shape[1]
            + (selected.table @ lut_power)[selected.ids].sum()
            + np.sum(counted * vmm_power)
        )
        counts: dict[str, float] = {
            "dac_1b": n_elements * (bits * n_banks + 2) + n_vectors * planes * self.cam_exp.n_rows,
            "sense_amplifier": n_elements * (self.cam_sub.n_rows + self.cam_exp.n_rows + 2 * bits + spec.lut_bits),
            "register_bit": n_elements * self.cam_sub.n_rows,
            "priority_encoder": n_vectors,
            "adder": n_elements * bits,
            "counter": n_elements * spec.counter_bits / _TABLE_COUNTER_BITS,
            "sample_hold": n_vectors * planes * (spec.lut_bits + 1),
            "shift_add": conversions,
            "divider": n_elements,
            "cell_read_joule": float(watt) * spec.read_second,
            **self._sum_adc(conversions),
        }
        return Activity(counts)

    @property
    def write_errors(self) -> dict[str, int]:
        """Cells that missed their target, where writes are verified."""
        cells = (self.cam_sub.cells, self.cam_exp.cells, self.lut.cells, self.vmm.cells)
        return {"write_failure": sum(each.n_failed for each in cells)} if self.spec.device.write.verified else {}

    @property
    def inventory(self) -> Inventory:
        """Parts of one engine."""
        spec, bits = self.spec, self.spec.format.bits
        sub, exp = self.cam_sub.n_rows, self.cam_exp.n_rows
        n_banks = len(self.cam_sub.banks) + len(self.cam_exp.banks)
        parts: dict[str, float] = {
            "crossbar_cell": sum(
                part.g.size for part in (self.cam_sub.cells, self.cam_exp.cells, self.lut.cells, self.vmm.cells)
            ),
            "dac_1b": 2 * bits * n_banks + sub + exp,
            "sense_amplifier": sub + exp + 2 * bits + spec.lut_bits,
            "register_bit": sub,
            "priority_encoder": 1,
            "adder": 1,
            "counter": exp * spec.counter_bits / _TABLE_COUNTER_BITS,
            "sample_hold": spec.lut_bits + 1,
            "shift_add": 1,
            "divider": 1,
            **self._sum_adc(1),
        }
        return Inventory(parts)

    def _sum_adc(self, count: int) -> dict[str, int]:
        """So many converters, or conversions, behind the sum; none where its resolution is unlimited."""
        return {} if self.spec.sum_adc_bits is None else {f"adc_{self.spec.sum_adc_bits}b": count}

    def _planes(self, length: int) -> int:
        """Bits of the counters that ``length`` scores can set: the reads of one sum."""
        return min(self.spec.counter_bits, int(length).bit_length())

    def serial(self, length: int) -> dict[str, int]:
        """Uses of components that follow one another for one vector of ``length`` scores.

        Search of every score; then difference, search and look-up of every score; then the sum; then the divisions.
        """
        planes = self._planes(length)
        steps = {"cam_search": 2 * length, "priority_encoder": 1, "lut_read": 2 * length, "crossbar_read": planes}
        return {**steps, **self._sum_adc(planes * self.spec.lut_bits), "divider": length}


def _wrong_matches(sets: MatchSets, right_row: IntArray) -> tuple[int, int]:
    """Rows that fired wrongly, and searches whose right row did not fire."""
    hit = sets.table[sets.ids, right_row]
    n_fired = sets.table.sum(axis=1)[sets.ids]
    return int((n_fired - hit).sum()), int((~hit).sum())

"""What a softmax engine is asked to be: formats, options, cells, lines and amplifiers."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from rramsim.array.adc.kinds import Adc
from rramsim.array.sensing import SenseSpec
from rramsim.array.wires import WireSpec
from rramsim.array.words import word_digits
from rramsim.arrays import IntArray
from rramsim.cell.device import DeviceSpec
from rramsim.fixed_point import FixedPointSpec
from rramsim.spec import Positive

from .exponentials import exponential_words
from .unit import SoftmaxUnitSpec

__all__ = ["SoftmaxDesign", "Step"]

Step = Literal["search", "subtract", "exponential", "lookup", "sum"]
"""The steps that crossbars do."""


class SoftmaxDesign(SoftmaxUnitSpec):
    """A softmax engine of four crossbars; ideal cells and wires by default, then exact in its fixed point.

    Parameters
    ----------
    kind
        "crossbar": what this class is, among the softmax units.
    format
        Fixed-point format of the scores.
    lut_bits
        Width of the stored exponentials, round(exp(-d) (2^lut_bits - 1)), 2 to 16.
    lut_cell_bits
        Bits of the exponentials that a cell of the look-up table and of the sum holds, 1 to 4.
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
    sum_by
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
    perfect_steps
        Steps that are taken to be perfect, to tell what the others do: ideal cells, no wires, ideal amplifiers.

    Notes
    -----
    How wide a format has to be depends on the scores; STAR takes 7 to 9 bits.
    """

    device_errors: ClassVar[str] = "CAM/LUT errors"

    kind: Literal["crossbar"] = "crossbar"
    references: ClassVar = ("zhai-2023",)

    format: FixedPointSpec
    lut_bits: int = Field(default=8, ge=2, le=16)
    lut_cell_bits: int = Field(default=1, ge=1, le=4)
    counter_bits: int = Field(default=10, ge=1, le=20)
    overflow: Literal["flush", "saturate"] = "flush"
    sum_adc: Adc | None = None
    divider_bits: int = Field(default=8, ge=2, le=24)
    maximum: Literal["sweep", "bitwise"] = "sweep"
    subtract: Literal["array", "cmos"] = "array"
    sum_by: Literal["counters", "adder"] = "counters"
    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    bank_rows: int = Field(default=64, ge=1, le=4096)
    read_volt: Positive = 0.2
    read_second: Positive = 10e-9
    sense: SenseSpec = Field(default_factory=SenseSpec)
    column_sense: SenseSpec = Field(default_factory=SenseSpec)
    perfect_steps: Annotated[tuple[Step, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.wires.beside_cells(self.device.temperature.kelvin)
        if self.column_sense.kind != "current":
            raise ValueError(
                f"column_sense.kind is 'current', since columns add currents up; got {self.column_sense.kind!r}"
            )
        if self.sum_adc is not None and self.sum_adc.full_scale_from == "calibrated":
            raise ValueError(
                "sum_adc.full_scale_from is 'lossless', 'full' or 'fixed'; got 'calibrated', but the currents of the "
                "sum follow from how many scores are alike, and the histogram must be counted in whole cells"
            )
        return self

    @property
    def exponentials(self) -> IntArray:
        """The words of the look-up table, by magnitude of the difference."""
        return exponential_words(1 << (self.format.bits - 1), self.format.fraction_bits, self.lut_bits)

    @property
    def exponential_digits(self) -> IntArray:
        """Levels of the cells that hold the exponentials, (n_magnitudes, n_columns), the most significant first."""
        return word_digits(self.exponentials, self.lut_bits, self.lut_cell_bits)

    @property
    def n_scores(self) -> int:
        """Scores that the format tells apart: rows of the first CAM."""
        return 1 << self.format.bits

    @property
    def n_magnitudes(self) -> int:
        """Magnitudes of the difference to the maximum: rows of the second CAM, the look-up table and the sum."""
        return 1 << (self.format.bits - 1)

    @property
    def n_columns(self) -> int:
        """Columns of the look-up table: cells of one exponential."""
        return -(-self.lut_bits // self.lut_cell_bits)

    @property
    def states(self) -> int:
        """Scores that the format tells apart."""
        return self.n_scores

    @property
    def without_device_errors(self) -> Self:
        """The engine with ideal cells, lines and amplifiers, and a sum of unlimited resolution."""
        ideal = {"device": self.device.without_errors, "sense": SenseSpec(), "column_sense": SenseSpec()}
        return self.but({**ideal, "wires": WireSpec(), "sum_adc": None})

    @property
    def random(self) -> bool:
        """Whether two engines, or two runs of one, differ."""
        amplifiers = any(each.offset_spread or each.noise for each in (self.sense, self.column_sense))
        return self.device.random or amplifiers or (self.sum_adc is not None and self.sum_adc.random)

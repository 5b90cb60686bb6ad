"""What the lines of an array are made of, and how they are driven and sensed."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import model_validator

from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.spec import NonNegative, PerLine, Positive, Spec

__all__ = ["End", "Inputs", "Lines", "WireSpec", "power_of_four"]

Inputs = Literal["rows", "columns"]
End = Literal["near", "far", "both"]

_REFERENCE_KELVIN = 300.0
"""Temperature at which the resistances of lines are given."""

_HUGE = 1e30
"""What stands for infinity, a conductance beside the largest cell as 1: no result notices it in 16 digits."""


class WireSpec(Spec):
    """Resistances of the lines of an array and of the circuits at their ends; zero is ideal and exact.

    A value for a line may be one number, or a list with one number for every line.

    Parameters
    ----------
    word_line_ohm
        Resistance of one segment of a word line, from cell to cell, ohm.
    bit_line_ohm
        Resistance of one segment of a bit line, from cell to cell, ohm.
    driver_ohm
        Resistance from the source of an input line to its first cell, ohm.
    sense_ohm
        Resistance from the last cell of an output line to the virtual ground of its read circuit, ohm.
    end_segments
        Whether one more segment of the line itself lies in series with each driver and each read circuit, as in
        badcrossbar and CrossSim; without it the first cell sits at the driver, as in MemTorch and PytorX.
    driver_end
        The end at which the input lines are driven: near (where the index of the cells is 0), far, or both; at both,
        the same source feeds each end through a driver of its own.
    sense_end
        The end at which the output lines are sensed: far (where the index is the largest), near, or both; at both, each
        end has a read circuit of its own and their currents are added.
    word_line_farad, bit_line_farad
        Capacitance to ground of one segment of a word line, or of a bit line, farad.
    cell_farad
        Capacitance across a cell, farad.
    temperature_kelvin
        Temperature of the lines, kelvin; their resistances are given at 300 K. None: that of the cells between them,
        ``device.temperature.kelvin``, since an array has one temperature; 300 K in a :class:`rramsim.Network`, whose
        cells have none. Drivers and sense circuits keep their resistances.
    change_per_kelvin
        Relative change of the resistance of every segment for each kelvin above 300 K. The default is that of copper
        wires in DNN+NeuroSim V1.4.
    """

    word_line_ohm: PerLine = 0.0
    bit_line_ohm: PerLine = 0.0
    driver_ohm: PerLine = 0.0
    sense_ohm: PerLine = 0.0
    end_segments: bool = False
    driver_end: End = "near"
    sense_end: End = "far"
    word_line_farad: NonNegative = 0.0
    bit_line_farad: NonNegative = 0.0
    cell_farad: NonNegative = 0.0
    temperature_kelvin: Positive | None = None
    change_per_kelvin: float = 0.00451

    @model_validator(mode="after")
    def _check(self) -> "WireSpec":
        for key in ("word_line_ohm", "bit_line_ohm", "driver_ohm", "sense_ohm"):
            if getattr(self, key) == ():
                raise ValueError(f"{key}: a list has one number for each line; got none")
        if self._warmth < 0.0:
            zero = _REFERENCE_KELVIN - 1.0 / self.change_per_kelvin
            limit = "at least" if self.change_per_kelvin > 0.0 else "at most"
            raise ValueError(
                f"temperature_kelvin {self._kelvin:g} with change_per_kelvin {self.change_per_kelvin:g}: the "
                f"segments would have {self._warmth:.3g} times their resistance, which cannot be below 0; allowed is "
                f"{limit} {zero:.4g} kelvin"
            )
        return self

    @property
    def _warmth(self) -> float:
        """By what the resistances of the segments are multiplied at the temperature of the lines."""
        return 1.0 + self.change_per_kelvin * (self._kelvin - _REFERENCE_KELVIN)

    @property
    def _kelvin(self) -> float:
        return _REFERENCE_KELVIN if self.temperature_kelvin is None else self.temperature_kelvin

    def beside_cells(self, kelvin: float) -> "WireSpec":
        """The lines of an array whose cells have this temperature, kelvin: they have the same one.

        Raises
        ------
        SpecError
            If they were given another one, or if they would have a resistance below 0 at it.
        """
        if self.temperature_kelvin not in (None, kelvin):
            raise SpecError(
                f"wires.temperature_kelvin is {self.temperature_kelvin:g} and device.temperature.kelvin {kelvin:g}, "
                "but cells and lines of an array have one temperature: give it as device.temperature.kelvin, and "
                "wires.temperature_kelvin only to a Network, whose cells have none"
            )
        return self if self.ideal or kelvin == self._kelvin else self.but(temperature_kelvin=kelvin)

    @property
    def word_segment_ohm(self) -> float | tuple[float, ...]:
        """Ohm of a segment of a word line, or of each, at the temperature of the lines."""
        return _times(self.word_line_ohm, self._warmth)

    @property
    def bit_segment_ohm(self) -> float | tuple[float, ...]:
        """Ohm of a segment of a bit line, or of each, at the temperature of the lines."""
        return _times(self.bit_line_ohm, self._warmth)

    @property
    def ideal(self) -> bool:
        """Whether no resistance is left, so that an array's transconductances are its conductances."""
        ohm = (self.word_line_ohm, self.bit_line_ohm, self.driver_ohm, self.sense_ohm)
        return all(each == 0.0 if isinstance(each, float) else not any(each) for each in ohm)


@dataclass(frozen=True)
class Lines:
    """The lines of one array as the kernels want them: inputs are rows driven from the left, outputs are columns.

    Lines driven or sensed at their other end alone are turned round, and the cells with them. All arrays are float64.

    Parameters
    ----------
    input_segment, output_segment
        Ohm of a segment, one per line.
    input_near, output_far
        Ohm from the source to the first cell, and from the last cell to the virtual ground.
    input_far, output_near
        Siemens of a second terminal at the other end; 0 where it is open.
    rows, columns
        1 or -1: the step in which the given lines are taken, so that the inputs (rows) are driven at their near end and
        the outputs (columns) sensed at their far end; the arrays above are in this order.
    huge_ohm
        What stands for a disconnected source.
    """

    input_segment: FloatArray
    input_near: FloatArray
    input_far: FloatArray
    output_segment: FloatArray
    output_far: FloatArray
    output_near: FloatArray
    rows: int
    columns: int
    huge_ohm: float

    @classmethod
    def of(
        cls, wires: WireSpec, n_inputs: int, n_outputs: int, inputs: Inputs = "rows", siemens: float = 1.0
    ) -> "Lines":
        """The lines of an array with so many input and output lines.

        Parameters
        ----------
        inputs
            "rows" if the word lines are the inputs, "columns" if the bit lines are.
        siemens
            About the largest conductance of the cells, the measure of what is huge.

        Raises
        ------
        SpecError
            Where a list has not one number per line.
        """
        swapped = inputs == "columns"
        words, bits = (n_outputs, n_inputs) if swapped else (n_inputs, n_outputs)
        word = _per_line(wires.word_segment_ohm, words, "word_line_ohm", "word line")
        bit = _per_line(wires.bit_segment_ohm, bits, "bit_line_ohm", "bit line")
        driver = _per_line(wires.driver_ohm, n_inputs, "driver_ohm", "input line")
        sense = _per_line(wires.sense_ohm, n_outputs, "sense_ohm", "output line")
        input_segment, output_segment = (bit, word) if swapped else (word, bit)
        if wires.end_segments:
            driver, sense = driver + input_segment, sense + output_segment
        limit = 1.0 / (_HUGE * siemens)
        rows = -1 if wires.sense_end == "near" else 1
        columns = -1 if wires.driver_end == "far" else 1
        if rows < 0:
            input_segment, driver = input_segment[::-1].copy(), driver[::-1].copy()
        if columns < 0:
            output_segment, sense = output_segment[::-1].copy(), sense[::-1].copy()
        return cls(
            input_segment,
            driver,
            1.0 / np.maximum(driver, limit) if wires.driver_end == "both" else np.zeros(n_inputs),
            output_segment,
            sense,
            1.0 / np.maximum(sense, limit) if wires.sense_end == "both" else np.zeros(n_outputs),
            rows,
            columns,
            _HUGE / siemens,
        )

    def turned(self, per_cell: NDArray[Any]) -> NDArray[Any]:
        """From the order of the array to that of these lines, and back: a view of (..., n_inputs, n_outputs).

        Turning twice gives back the order of before.
        """
        return per_cell[..., :: self.rows, :: self.columns]

    def turned_inputs(self, per_input: NDArray[Any]) -> NDArray[Any]:
        """One value per input line (..., n_inputs), from the order of the array to that of these lines, and back."""
        return per_input[..., :: self.rows]

    def turned_outputs(self, per_output: NDArray[Any]) -> NDArray[Any]:
        """One value per output line (..., n_outputs), from the order of the array to that of these lines, and back."""
        return per_output[..., :: self.columns]

    @property
    def mirrored(self) -> "Lines":
        """Lines of the array driven from its outputs and sensed at its inputs; the cells turn by half and transpose."""
        return Lines(
            self.output_segment[::-1].copy(),
            self.output_far[::-1].copy(),
            self.output_near[::-1].copy(),
            self.input_segment[::-1].copy(),
            self.input_near[::-1].copy(),
            self.input_far[::-1].copy(),
            1,
            1,
            self.huge_ohm,
        )


def power_of_four(siemens: float) -> float:
    """A power of four above a conductance: numbers, and their roots, are measured in it without a rounding."""
    exponent = math.frexp(siemens)[1]
    return math.ldexp(1.0, exponent + exponent % 2)


def _times(ohm: float | tuple[float, ...], factor: float) -> float | tuple[float, ...]:
    return ohm * factor if isinstance(ohm, float) else tuple(each * factor for each in ohm)


def _per_line(ohm: float | Sequence[float], count: int, key: str, line: str) -> FloatArray:
    if isinstance(ohm, float):
        return np.full(count, ohm)
    if len(ohm) != count:
        raise SpecError(f"{key}: a list has one number for each {line}; got {len(ohm)} numbers for {count} {line}s")
    return np.array(ohm, dtype=np.float64)

"""From a study to its points: every line of the table, and every trial of it."""

from dataclasses import dataclass

from rramsim.array.wires import WireSpec
from rramsim.cell.part import Effect
from rramsim.engine.attention import AttentionSpec
from rramsim.engine.chip import ChipSpec
from rramsim.engine.macro.programming import MacroSpec
from rramsim.engine.softmax.unit import SoftmaxUnitSpec

from .spec import StudySpec

__all__ = ["Point", "Variant", "points", "variants"]


@dataclass(frozen=True)
class Variant:
    """One line of the table: the hardware with some of its non-idealities.

    Parameters
    ----------
    name
        Short and stable, for the trace.
    label
        What the line says.
    chip
        The hardware; None is the float network.
    """

    name: str
    label: str
    chip: ChipSpec | None

    @property
    def random(self) -> bool:
        """Whether two chips, or two runs of one chip, differ."""
        if self.chip is None:
            return False
        macro, softmax = self.chip.macro, self.chip.attention.softmax
        return any(part is not None and part.random for part in (macro.device, macro.adc, macro.dac, softmax))


@dataclass(frozen=True)
class Point:
    """One chip to write and run: a variant and the number of the trial."""

    variant: Variant
    trial: int


def variants(study: StudySpec) -> list[Variant]:
    """All lines of the table: float, no non-ideality, each alone, all together.

    Each non-ideality alone acts in the arrays of the matrix products, between an exact softmax; the two lines of the
    softmax act between matrix products without error.
    """
    full = study.chip
    macro, softmax = full.macro, full.attention.softmax
    assert softmax is not None  # noqa: S101  (a study always has a unit)
    device, ideal = macro.device, macro.device.without_errors
    aged = device.read_after_second > 0 or device.temperature != ideal.temperature
    no_errors = {"device": ideal, "wires": WireSpec(), "adc": None, "dac": macro.dac.without_errors}
    plain = macro.but(no_errors)

    cells_err = softmax.device_errors

    def chip(macro: MacroSpec, softmax: SoftmaxUnitSpec | None = None) -> ChipSpec:
        return ChipSpec(macro=macro, attention=AttentionSpec(macro=macro, softmax=softmax))

    def cells(*effects: Effect) -> ChipSpec:
        return chip(plain.but({"device": device.only(*effects)}))

    return [
        Variant("float", "float network", None),
        Variant("fixed_point", "fixed point, no non-ideality", chip(plain)),
        Variant("programming", "programming spread", cells(Effect.WRITTEN)),
        *(
            [Variant("retention", "programming spread, relaxation, drift", cells(Effect.WRITTEN, Effect.KEPT))]
            if aged
            else []
        ),
        Variant("stuck", "stuck cells", cells(Effect.FAULT)),
        Variant("read_noise", "read noise", cells(Effect.READ)),
        *([] if device.ohmic else [Variant("conduction", "I-V curve", cells(Effect.CONDUCTION))]),
        Variant("ir_drop", "IR drop", chip(plain.but({"wires": macro.wires}))),
        *([] if macro.dac.ideal else [Variant("dac", "DAC", chip(plain.but({"dac": macro.dac})))]),
        Variant("adc", "ADC", chip(plain.but({"adc": macro.adc}))),
        Variant("softmax_bits", "softmax bits", chip(plain, softmax.without_device_errors)),
        *([Variant("softmax_cells", f"softmax bits, {cells_err}", chip(plain, softmax))] if cells_err else []),
        Variant("all", "all together", full),
    ]


def points(study: StudySpec) -> list[Point]:
    """Every point of the study; a line without randomness has one trial."""
    return [
        Point(variant, trial) for variant in variants(study) for trial in range(study.trials if variant.random else 1)
    ]

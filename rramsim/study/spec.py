"""What a study of a network asks for: one workload, one hardware, and how it is priced."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_serializer, field_validator, model_validator

from rramsim.array.wires import WireSpec
from rramsim.cards import COMPONENTS
from rramsim.cell.device import DeviceSpec
from rramsim.cost.components import ComponentTable, load_components
from rramsim.engine.attention import AttentionSpec
from rramsim.engine.chip import ChipSpec
from rramsim.engine.macro.programming import MacroSpec
from rramsim.engine.softmax.engine import SoftmaxSpec
from rramsim.engine.softmax.kinds import SOFTMAX_UNITS, SoftmaxUnit
from rramsim.errors import SpecError
from rramsim.fixed_point import FixedPointSpec
from rramsim.model.workloads import DEFAULT_WORKLOAD, load_workload
from rramsim.references import References
from rramsim.spec import FieldError, Spec

__all__ = ["CostSpec", "StudySpec", "Title", "WorkloadSpec"]


def _one_line(title: str) -> str:
    if not title.isprintable():
        raise ValueError(f"title is one line of printable text; got {title!r}")
    return title


Title = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
"""One line of text."""

_SHARED = ("device", "wires")
"""Parts that the tables [device] and [wires] give to all arrays."""


class WorkloadSpec(Spec):
    """What the hardware is to compute.

    Parameters
    ----------
    name
        ``"digits-vit"``, the embedded vision transformer on the 8x8 handwritten digits, or the name of a workload that
        another package offers by the entry point ``rramsim.workloads``.
    samples
        How many of the inputs that the workload holds out are run; left out: all.
    calibration_samples
        Other inputs, from which the full scales of inputs and converters are found.
    """

    name: str = DEFAULT_WORKLOAD
    samples: int = Field(default=0, ge=1, validate_default=False)
    calibration_samples: int = Field(default=64, ge=1)

    @field_validator("name")
    @classmethod
    def _at_hand(cls, name: str) -> str:
        load_workload(name)
        return name

    @model_validator(mode="after")
    def _check(self) -> "WorkloadSpec":
        workload = load_workload(self.name)
        if not self.samples:
            object.__setattr__(self, "samples", workload.n_inputs)
        for key, most, they_are in (
            ("samples", workload.n_inputs, "inputs that"),
            ("calibration_samples", workload.n_calibration_inputs, "inputs to find full scales from that"),
        ):
            if getattr(self, key) > most:
                raise FieldError(
                    key,
                    f"got {getattr(self, key)}; it is at most {most}, the {they_are} the workload {self.name!r} has",
                )
        return self


class CostSpec(Spec):
    """How the hardware is priced.

    Parameters
    ----------
    components
        Energies, times and areas: the name of a table at hand, the path of a file of your own (``"mine.toml"``, beside
        the study), or a table with ``preset`` and the figures to change.
    vector_lanes
        Lanes of the digital unit for biases, normalisations, rectifiers and residual sums.
    """

    components: ComponentTable = Field(default_factory=load_components)
    vector_lanes: int = Field(default=64, ge=1)

    @field_serializer("components")
    def _named(self, table: ComponentTable) -> str | dict[str, Any]:
        """A table that comes with rramsim by its name, another one in full."""
        if table.name in COMPONENTS.embedded and table == load_components(table.name):
            return table.name
        return table.model_dump(mode="json")


class StudySpec(Spec):
    """A study: one network, one hardware, and what each of its non-idealities costs.

    Parameters
    ----------
    title
        Heads the report.
    seed
        The one seed of everything random.
    trials
        Chips that are written for every line of the table with random errors.
    probe_samples
        Inputs whose inner signals go into the trace.
    workload
        What is computed.
    device, wires
        Cells and lines of all arrays; ``softmax.device`` and ``softmax.wires`` may differ.
    macro, softmax
        The matrix products, and the softmax unit, of any kind; with these cells and lines where it has any.
    cost
        How it is priced.
    references
        What ``rramsim.cite`` and the report give beside those of the parts: keys of known references, or tables of the
        fields of :class:`rramsim.Reference`.
    """

    title: Title = "rramsim study"
    seed: int = Field(default=0, ge=0, lt=2**63)
    trials: int = Field(default=5, ge=1, le=1000)
    probe_samples: int = Field(default=2, ge=0, le=16)
    workload: WorkloadSpec = Field(default_factory=WorkloadSpec)
    device: DeviceSpec = Field(default_factory=DeviceSpec)
    wires: WireSpec = Field(default_factory=WireSpec)
    macro: MacroSpec = Field(default_factory=MacroSpec)
    softmax: SoftmaxUnit = Field(
        default_factory=lambda: SoftmaxSpec(format=FixedPointSpec(integer_bits=5, fraction_bits=2))
    )
    cost: CostSpec = Field(default_factory=CostSpec)
    references: References = ()

    @model_validator(mode="after")
    def _check(self) -> "StudySpec":
        if self.probe_samples > self.workload.samples:
            raise ValueError(
                f"probe_samples {self.probe_samples} is more than workload.samples {self.workload.samples}: "
                "only inputs that are run can be probed"
            )
        if not self.macro.signed_inputs:
            raise ValueError(
                "macro.signed_inputs is false, but activations of a network have either sign and would be cut at zero; "
                "the products with probabilities are unsigned of themselves"
            )
        self._check_prices(self.cost.components)
        return self

    def _check_prices(self, table: ComponentTable) -> None:
        """Refuse converters and drivers that the table does not price: nothing is priced as what it is not."""
        adc = self.macro.adc
        if adc is not None and adc.component not in table.components:
            known = sorted(name for name in table.components if name.startswith("adc_"))
            raise FieldError(
                "macro.adc",
                f"a converter of {adc.bits} bits with kind = {adc.kind_name()!r} has no price: it is the component "
                f"{adc.component!r}, which the table {table.name!r} of cost.components lacks. That one has "
                f"{', '.join(known)}, all of kind = 'sar'; take one of these, or a table of your own with "
                f"{adc.component!r}",
            )
        if self.macro.dac.component not in table.components:
            known = sorted(name for name in table.components if name.startswith("dac_"))
            raise FieldError(
                "macro.dac.bits",
                f"a driver {self.macro.dac.component!r} has no price in the table {table.name!r} of cost.components, "
                f"which has {', '.join(known)}",
            )
        parts = {component for _, component, _ in self.softmax.inventory.rows()} | self.softmax.turns(1).keys()
        if unpriced := sorted(parts - table.components.keys()):
            raise FieldError(
                "softmax",
                f"its parts {', '.join(unpriced)} have no price in the table {table.name!r} of cost.components; take a "
                "table of your own that has them",
            )

    @field_validator("macro", "softmax", mode="before")
    @classmethod
    def _with_shared_parts(cls, part: Any, info: ValidationInfo) -> Any:
        """Cells and lines are given once, by [device] and [wires]; the softmax engine may have others."""
        shared = {key: info.data[key] for key in _SHARED if key in info.data}
        if isinstance(part, str):
            part = {"preset": part}
        if isinstance(part, Spec):
            given = part.given_fields
        elif isinstance(part, dict):
            given = part  # what a preset brings of its own is replaced
        else:
            return part
        if info.field_name == "softmax":
            fields = (SOFTMAX_UNITS.kind_of(part) if isinstance(part, dict) else type(part)).model_fields
            shared = {key: value for key, value in shared.items() if key in fields and key not in given}
        for key, value in shared.items():
            if key in given and not _equals(given[key], value):
                raise FieldError(
                    key, f"macro.{key} is set by the table [{key}], which serves all arrays; give it there"
                )
        return part.but(shared) if isinstance(part, Spec) else {**part, **shared}

    @property
    def given_fields(self) -> dict[str, Any]:
        """The fields that were given; cells and lines that macro and softmax share in [device] and [wires] alone."""
        fields = super().given_fields
        for key in {"macro", "softmax"} & fields.keys():
            part = getattr(self, key)
            fields[key] = {name: value for name, value in part.given_fields.items() if not self._shares(part, name)}
        return fields

    def _shares(self, part: Spec, key: str) -> bool:
        return key in _SHARED and hasattr(part, key) and getattr(part, key) == getattr(self, key)

    @property
    def resolved(self) -> dict[str, Any]:
        """Every setting that is in force, for JSON: presets spelled out, and nothing that another table decides."""
        shared = {key for key in _SHARED if self._shares(self.softmax, key)}
        return self.model_dump(mode="json", exclude={"macro": set(_SHARED), "softmax": shared})

    @property
    def chip(self) -> ChipSpec:
        """The hardware that the study asks for, with all its non-idealities."""
        return ChipSpec(macro=self.macro, attention=AttentionSpec(macro=self.macro, softmax=self.softmax))


def _equals(given: Any, spec: Spec) -> bool:
    """Whether what was given for a part is what another part says."""
    try:
        return (type(spec)(**given) if isinstance(given, dict) else given) == spec
    except SpecError:
        return False

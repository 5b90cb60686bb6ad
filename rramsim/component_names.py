"""Names of components: what hardware counts, and what a table of components gives a price to."""

import re
from difflib import get_close_matches
from enum import StrEnum

__all__ = ["CellEnergy", "ComponentFamily", "ComponentName", "is_component", "unknown_component"]


class ComponentName(StrEnum):
    """Components that come in one width; one use of each is in the table of ``docs/cost.md``."""

    CROSSBAR_CELL = "crossbar_cell"
    CROSSBAR_READ = "crossbar_read"
    CAM_SEARCH = "cam_search"
    LUT_READ = "lut_read"
    SAMPLE_HOLD = "sample_hold"
    INTEGRATOR = "integrator"
    SHIFT_ADD = "shift_add"
    SENSE_AMPLIFIER = "sense_amplifier"
    WRITE_DRIVER = "write_driver"
    COUNTER = "counter"
    REGISTER_BIT = "register_bit"
    ADDER = "adder"
    COMPARATOR = "comparator"
    MULTIPLIER = "multiplier"
    PRIORITY_ENCODER = "priority_encoder"
    DIVIDER = "divider"
    VECTOR_LANE = "vector_lane"
    BUFFER_BYTE = "buffer_byte"

    def __repr__(self) -> str:
        return repr(self.value)


class ComponentFamily(StrEnum):
    """Components that come in several widths; the name of one has its bits behind: ``adc_8b``."""

    DAC = "dac"
    ADC = "adc"
    FLASH_ADC = "flash_adc"
    RAMP_ADC = "ramp_adc"
    PIPELINE_ADC = "pipeline_adc"

    def of_bits(self, bits: int) -> str:
        """The name of the component with so many bits."""
        return f"{self.value}_{bits}b"


class CellEnergy(StrEnum):
    """Entries of an activity that are joules already: the arrays integrate them, since they depend on the data."""

    READ = "cell_read_joule"
    WRITE = "cell_write_joule"

    def __repr__(self) -> str:
        return repr(self.value)


_OF_BITS = re.compile(f"({'|'.join(ComponentFamily)})_[1-9][0-9]*b")


def is_component(name: str) -> bool:
    """Whether rramsim counts by this name: one of :class:`ComponentName`, or a family with a number of bits."""
    return name in set(ComponentName) or _OF_BITS.fullmatch(name) is not None


def unknown_component(name: str) -> str:
    """What is wrong with a name that is none: what was meant, perhaps, and what is allowed."""
    close = get_close_matches(name, [*ComponentName, *(family.of_bits(8) for family in ComponentFamily)], n=1)
    meant = f"did you mean {str(close[0])!r}? " if close else ""
    families = ", ".join(f"{family}_<bits>b" for family in ComponentFamily)
    return f"no hardware counts {name!r}; {meant}Names are {', '.join(ComponentName)}, {families}"

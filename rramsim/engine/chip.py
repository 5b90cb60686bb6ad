"""A chip: one macro for every static matrix of a network, and its attention layers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import Field

from rramsim.activity import Activity
from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Streams, as_streams
from rramsim.spec import Spec

from .attention import AttentionRanges, AttentionSpec, ProgrammedAttention
from .macro.design import MacroRanges
from .macro.product import ProgrammedMacro
from .macro.programming import MacroSpec

__all__ = ["ChipRun", "ChipSpec", "ProgrammedChip"]


class ChipSpec(Spec):
    """Hardware for a whole network.

    Parameters
    ----------
    macro
        Holds the static weights, a macro for each matrix.
    attention
        The attention layers.
    """

    macro: MacroSpec = Field(default_factory=MacroSpec)
    attention: AttentionSpec = Field(default_factory=AttentionSpec)

    def program(
        self,
        weights: Mapping[str, FloatArray],
        ranges: Mapping[str, MacroRanges],
        attention_ranges: Mapping[str, AttentionRanges],
        rng: RandomSource = 0,
    ) -> "ProgrammedChip":
        """Write a network.

        Parameters
        ----------
        weights
            The static matrices by name, (n_in, n_out).
        ranges
            Full scales of each matrix.
        attention_ranges
            Full scales of each attention layer, by name.
        rng
            Streams, a generator, or a seed; every matrix draws from its own stream, found by its name.
        """
        streams = as_streams(rng)
        macros = {
            name: self.macro.program(matrix, streams.child(name), ranges.get(name)) for name, matrix in weights.items()
        }
        attentions = {
            name: self.attention.program(streams.child(name), full_scale)
            for name, full_scale in attention_ranges.items()
        }
        return ProgrammedChip(macros, attentions)


@dataclass(frozen=True)
class ProgrammedChip:
    """A network written into crossbars."""

    macros: Mapping[str, ProgrammedMacro]
    attentions: Mapping[str, ProgrammedAttention]

    @property
    def write_errors(self) -> Counter[str]:
        """Errors of writing the static matrices and the crossbars of the softmax engines, by kind."""
        errors = Counter[str]()
        for macro in self.macros.values():
            errors.update(macro.write_errors)
        for attention in self.attentions.values():
            errors.update(attention.softmax.write_errors if attention.softmax else {})
        return errors

    def run(self, rng: RandomSource = 0, probe: Probe = NULL_PROBE) -> "ChipRun":
        """Make ready for one batch: the returned object does the products of a network and keeps account of them."""
        return ChipRun(self, as_streams(rng), probe)


@dataclass
class ChipRun:
    """One batch on a chip: does a network's products and sums up what happened meanwhile.

    Parameters
    ----------
    chip
        The written network.
    streams
        For read noise, and for writing the keys and values.
    probe
        Receives the inner signals, below the name of each matrix and attention.

    Attributes
    ----------
    activity
        What the hardware did so far, by block.
    errors
        How often each kind of error happened so far.
    probabilities
        Attention probabilities (batch, heads, length, length), by the name of the attention.
    """

    chip: ProgrammedChip
    streams: Streams
    probe: Probe = NULL_PROBE
    activity: Activity = field(default_factory=Activity)
    errors: Counter[str] = field(default_factory=Counter)
    probabilities: dict[str, FloatArray] = field(default_factory=dict)

    def matmul(self, name: str, x: FloatArray) -> FloatArray:
        """Multiply by the static matrix called ``name``, (..., n_in) to (..., n_out)."""
        macro = self.chip.macros.get(name)
        if macro is None:
            raise SpecError(f"the chip holds no matrix {name!r}; it holds {', '.join(self.chip.macros)}")
        flat = x.reshape(-1, x.shape[-1])
        result = macro.apply(flat, self.streams.child(name), self.probe.within(name))
        self._keep(result.activity.within("static weights"), result.errors)
        return result.values.reshape(*x.shape[:-1], -1)

    def attention(self, name: str, query: FloatArray, key: FloatArray, value: FloatArray) -> FloatArray:
        """Attend with the attention called ``name``; all (batch, heads, length, d_head)."""
        layer = self.chip.attentions.get(name)
        if layer is None:
            raise SpecError(f"the chip holds no attention {name!r}; it holds {', '.join(self.chip.attentions)}")
        result = layer.apply(query, key, value, self.streams.child(name), self.probe.within(name))
        self._keep(result.activity, result.errors)
        self.probabilities[name] = result.probabilities
        return result.values

    def _keep(self, activity: Activity, errors: Mapping[str, int]) -> None:
        self.activity += activity
        self.errors.update(errors)

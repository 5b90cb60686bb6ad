"""A chip: one macro for every static matrix of a network, and its attention layers."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pydantic import Field

from rramsim.activity import Activity
from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.probe import NULL_PROBE, Probe
from rramsim.rng import RandomSource, Seed, Streams, as_streams
from rramsim.spec import Spec

from .attention import AttentionRanges, AttentionSpec, ProgrammedAttention
from .macro.design import MacroRanges
from .macro.product import ProgrammedMacro
from .macro.programming import MacroSpec

__all__ = ["ChipSession", "ChipSpec", "ProgrammedChip"]


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
        *,
        rng: RandomSource = None,
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
            Streams, a generator, or a seed; every matrix draws from its own stream, found by its name. None: fresh
            entropy, which the chip keeps as ``seed``.
        """
        streams = as_streams(rng)
        macros = {
            name: self.macro.program(matrix, ranges.get(name), rng=streams.child(name))
            for name, matrix in weights.items()
        }
        attentions = {
            name: self.attention.program(full_scale, rng=streams.child(name))
            for name, full_scale in attention_ranges.items()
        }
        return ProgrammedChip(macros, attentions, streams.repeated_by)


@dataclass(frozen=True)
class ProgrammedChip:
    """A network written into crossbars.

    Parameters
    ----------
    macros
        The static matrices, by name.
    attentions
        The attention layers, by name.
    seed
        What its writing drew from: as ``rng`` it gives this chip again.
    """

    macros: Mapping[str, ProgrammedMacro]
    attentions: Mapping[str, ProgrammedAttention]
    seed: Seed | None = None

    def at(self, time_second: float) -> "ProgrammedChip":
        """The chip with its cells as they are ``time_second`` after they were written.

        Keys and values are written for every input and read at once, at any age of the chip.
        """
        macros = {name: macro.at(time_second) for name, macro in self.macros.items()}
        attentions = {name: attention.at(time_second) for name, attention in self.attentions.items()}
        return replace(self, macros=macros, attentions=attentions)

    @property
    def write_errors(self) -> dict[str, int]:
        """Errors of writing the static matrices and the crossbars of the softmax engines, by kind."""
        errors = Counter[str]()
        for macro in self.macros.values():
            errors.update(macro.write_errors)
        for attention in self.attentions.values():
            errors.update(attention.softmax.write_errors if attention.softmax else {})
        return dict(errors)

    def session(self, *, probe: Probe = NULL_PROBE, rng: RandomSource = None) -> "ChipSession":
        """Make ready for one batch: the returned object does the products of a network and keeps account of them.

        Parameters
        ----------
        probe
            Receives the inner signals, below the name of each matrix and attention.
        rng
            Streams, a generator, or a seed, for read noise and for writing keys and values; None: fresh entropy, which
            the session keeps as ``seed``.
        """
        return ChipSession(self, as_streams(rng), probe)


@dataclass
class ChipSession:
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

    @property
    def seed(self) -> Seed:
        """What gives this session again as ``rng``."""
        return self.streams.repeated_by

    def matmul(self, name: str, x: FloatArray) -> FloatArray:
        """Multiply by the static matrix called ``name``, (..., n_in) to (..., n_out)."""
        macro = self.chip.macros.get(name)
        if macro is None:
            raise SpecError(f"the chip holds no matrix {name!r}; it holds {', '.join(self.chip.macros)}")
        flat = x.reshape(-1, x.shape[-1])
        result = macro.apply(flat, probe=self.probe.within(name), rng=self.streams.child(name))
        self._keep(result.activity.within("static weights"), result.errors)
        return result.values.reshape(*x.shape[:-1], -1)

    def attention(self, name: str, query: FloatArray, key: FloatArray, value: FloatArray) -> FloatArray:
        """Attend with the attention called ``name``; all (batch, heads, length, d_head)."""
        layer = self.chip.attentions.get(name)
        if layer is None:
            raise SpecError(f"the chip holds no attention {name!r}; it holds {', '.join(self.chip.attentions)}")
        result = layer.apply(query, key, value, probe=self.probe.within(name), rng=self.streams.child(name))
        self._keep(result.activity, result.errors)
        self.probabilities[name] = result.probabilities
        return result.values

    def _keep(self, activity: Activity, errors: Mapping[str, int]) -> None:
        self.activity += activity
        self.errors.update(errors)

"""The crossbar macro: how a matrix is written, and how full scales are found for it."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from rramsim.array.wires import WireSpec
from rramsim.arrays import FloatArray
from rramsim.errors import SpecError
from rramsim.rng import RandomSource, as_streams
from rramsim.threads import run_each

from .converters import Converters
from .design import MacroDesign, MacroRanges
from .held import checked_inputs
from .mapping import quantize, spans
from .product import ProgrammedMacro
from .rows import RowOfTiles
from .tile import ProgrammedTile

__all__ = ["MacroSpec", "macro"]

Progress = Callable[[int, int], None]
"""Told how many tiles are written, of how many."""


class MacroSpec(MacroDesign):  # noqa: D101  (it stands in MacroDesign, once)
    __doc__ = MacroDesign.__doc__

    def program(
        self,
        weights: ArrayLike,
        ranges: MacroRanges | None = None,
        *,
        keep_cells: bool = True,
        progress: Progress | None = None,
        cell_rng: RandomSource = None,
        rng: RandomSource = None,
    ) -> ProgrammedMacro:
        """Write a matrix.

        Parameters
        ----------
        weights
            (..., n_in, n_out); leading axes are independent matrices on their own tiles.
        ranges
            Full scales; see :class:`MacroRanges`.
        keep_cells
            False forgets the cells of a tile once its currents are known, for matrices whose cells would fill the
            memory: 4 bytes a conversion column and row stay instead of some 16 a cell.
        progress
            Called after each tile with the number of tiles written so far and of all tiles.
        cell_rng
            Where the first axis of ``weights`` is not more matrices but the same tiles written again and again: the
            streams of these tiles; see :meth:`rramsim.DeviceSpec.program`.
        rng
            Streams, a generator, or a seed, for the errors of writing; None: fresh entropy, which the macro keeps as
            ``seed``.

        Raises
        ------
        SpecError
            For weights that are not finite, full scales that are none, and for an ADC whose range is to be calibrated
            but was not.
        """
        ranges = ranges or MacroRanges()
        self._check_programming(ranges, keep_cells=keep_cells)
        w = _checked_weights(weights)
        ranges.check(w.shape[-1])
        codes, step = quantize(w, self.weight_bits, self._weight_scale(w) if ranges.weights is None else ranges.weights)
        streams = as_streams(rng)
        cell_streams = None if cell_rng is None else as_streams(cell_rng)
        n_tile_sets = int(np.prod(w.shape[:-2] if cell_rng is None else w.shape[1:-2]))
        converters = Converters.built(self, w.shape, ranges.current_ampere, cell_streams or streams, n_tile_sets)
        row_spans, column_spans = spans(w.shape[-2], self.tile_rows), list(spans(w.shape[-1], self.outputs_per_tile))
        rows: list[RowOfTiles] = []
        for r, inputs in enumerate(row_spans):

            def write(c: int, r: int = r, inputs: slice = inputs) -> ProgrammedTile:
                tile_codes = codes[..., inputs, column_spans[c]]
                return ProgrammedTile.written(self, tile_codes, ("tile", r, c), streams, cell_streams)

            def tell(n_written: int, r: int = r) -> None:
                if progress:
                    progress(r * len(column_spans) + n_written, converters.n_tiles)

            rows.append(RowOfTiles(self, converters, r, run_each(write, len(column_spans), tell)))
            if not keep_cells:
                rows[r].forget_cells()
        return ProgrammedMacro(self, w.shape, step, ranges, converters, tuple(rows), streams.repeated_by)

    def _check_programming(self, ranges: MacroRanges, *, keep_cells: bool) -> None:
        if self.adc and self.adc.full_scale_from == "calibrated" and ranges.current_ampere is None:
            raise SpecError(
                "MacroSpec: adc.full_scale_from is 'calibrated', so program() needs ranges with current_ampere; "
                "find them with MacroSpec.calibrate(weights, inputs)"
            )
        if not keep_cells and (self.noise_model == "cells" or self.telegraph_vectors or self.nonlinear == "newton"):
            raise SpecError("MacroSpec: noise of single cells, telegraph states and Newton need keep_cells=True")

    def _weight_scale(self, w: FloatArray) -> float | FloatArray:
        """Largest weight, of the whole matrix or of each column."""
        largest = np.abs(w).max(axis=tuple(range(w.ndim - 1)))
        return largest if self.weight_scale_per == "channel" else float(largest.max())

    def calibrate(self, weights: ArrayLike, inputs: ArrayLike, *, coverage: float = 1.0) -> MacroRanges:
        """Full scales from representative data, on cells, wires and converters without any error.

        Parameters
        ----------
        weights
            (..., n_in, n_out).
        inputs
            (..., n_vectors, n_in), with the same leading axes.
        coverage
            Share of the inputs that their full scale covers, above 0 and up to 1; the rest saturates.

        Raises
        ------
        SpecError
            For weights or inputs that are not finite or do not fit, no inputs, and a share that is none.
        """
        w = _checked_weights(weights)
        x = checked_inputs(inputs, w.shape[-2])
        if not x.size or not 0.0 < coverage <= 1.0:
            raise SpecError(
                "MacroSpec: calibrate() takes some inputs, of which it covers a share above 0 and up to 1; "
                f"got inputs of shape {x.shape} and coverage = {coverage}"
            )
        ranges = MacroRanges(float(np.quantile(np.abs(x), coverage)), self._weight_scale(w))
        if self.adc is None or self.adc.full_scale_from != "calibrated":
            return ranges
        currents = self._without_errors.program(w, ranges, rng=0).column_currents(x)
        return ranges._replace(current_ampere=self.adc.full_scale(currents, signed=self.signed_codes))

    @property
    def _without_errors(self) -> "MacroSpec":
        """The macro on cells, wires and drivers without any error, and without a converter."""
        errors = {
            "device": self.device.without_errors,
            "wires": WireSpec(),
            "adc": None,
            "dac": self.dac.without_errors,
        }
        plain = {"accumulator_bits": None, "noise_model": "moments", "telegraph_vectors": None, "nonlinear": "chord"}
        return self.but(errors | plain)


def _checked_weights(weights: ArrayLike) -> FloatArray:
    w = np.asarray(weights, dtype=np.float64)
    if w.ndim < 2 or 0 in w.shape or not np.isfinite(w).all():
        raise SpecError(f"MacroSpec: weights are finite numbers of shape (..., n_in, n_out); got shape {w.shape}")
    return w


def macro(name: str, /, **overrides: Any) -> MacroSpec:
    """A published macro, with some of its fields changed.

    Parameters
    ----------
    name
        One of ``rramsim.presets("macros")``, or the path of a card (``"mine.toml"``).
    overrides
        Fields of :class:`MacroSpec` to set anew; a dict changes single fields of one of its parts and leaves the others
        as the preset has them.

    Raises
    ------
    SpecError
        For an unknown name or a wrong field.
    """
    if "preset" in overrides:
        raise SpecError(f"macro: the preset is named first; got {name!r} and preset = {overrides['preset']!r}")
    return MacroSpec(**{"preset": name, **overrides})

"""Cells that cannot be written: stuck cells with explicit polarity, dead lines, wear."""

from typing import Annotated, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field, model_validator
from scipy.ndimage import gaussian_filter
from scipy.special import ndtr

from rramsim.arrays import BoolArray, FloatArray
from rramsim.errors import SpecError
from rramsim.rng import Streams
from rramsim.spec import Fraction, NonNegative, Positive, Spec

from .part import Declaration, DevicePart, Draw, Effect, Window, share_words, siemens_words

__all__ = ["EnduranceSpec", "FaultMap", "StuckSpec"]


class FaultMap(NamedTuple):
    """Cells that hold something else than what is written, and what.

    Parameters
    ----------
    held
        Whether a cell holds something else: bool.
    g
        What such cells hold, siemens; no matter elsewhere.
    """

    held: BoolArray
    g: FloatArray


class StuckSpec(Spec, DevicePart):
    """Cells that cannot be written, and lines that conduct nothing.

    Parameters
    ----------
    on_fraction
        Share of cells stuck at the highest conductance (low-resistance state).
    off_fraction
        Share of cells stuck at the lowest conductance (high-resistance state).
    frozen_fraction
        Share of cells stuck somewhere within ``frozen_siemens``, all conductances alike likely.
    frozen_siemens
        Range in which frozen cells are stuck, from and to, siemens; without it, the window.
    cluster_cells
        Correlation length of the map along rows and columns, in cells; 0: each cell is hit independently. The shares
        stay the same.
    dead_row_fraction, dead_column_fraction
        Share of rows and of columns with a broken line: their cells conduct nothing (0 siemens).

    Notes
    -----
    Papers disagree on which of the two "SA0" and "SA1" mean, so neither name is used. A clustered map is white Gaussian
    noise smoothed over ``cluster_cells`` (periodically) and cut at the quantiles of the shares.
    """

    declared: ClassVar = Declaration("stuck cells", (Effect.FAULT,), (Draw("stuck", "cell"),))

    on_fraction: Fraction = 0.0
    off_fraction: Fraction = 0.0
    frozen_fraction: Fraction = 0.0
    frozen_siemens: Annotated[tuple[NonNegative, NonNegative], Field(strict=False)] | None = None
    cluster_cells: NonNegative = 0.0
    dead_row_fraction: Fraction = 0.0
    dead_column_fraction: Fraction = 0.0

    @model_validator(mode="after")
    def _check(self) -> "StuckSpec":
        together = self.on_fraction + self.off_fraction + self.frozen_fraction
        if together > 1 + 1e-12:  # rounding is no breach
            raise ValueError(
                f"on_fraction + off_fraction + frozen_fraction is {together:g}; a cell is stuck at one state only, so "
                "together they are at most 1"
            )
        if self.frozen_siemens and self.frozen_siemens[0] > self.frozen_siemens[1]:
            raise ValueError(
                f"frozen_siemens: from {self.frozen_siemens[0]:g} up to {self.frozen_siemens[1]:g} is no range"
            )
        return self

    @property
    def ideal(self) -> bool:
        """Whether every cell can be written."""
        cells = self.on_fraction or self.off_fraction or self.frozen_fraction
        return not (cells or self.dead_row_fraction or self.dead_column_fraction)

    def sentences(self, window: Window, *, given: bool) -> list[str]:
        """What the card says of it."""
        low, high = self.frozen_siemens or (window.g_min_siemens, window.g_max_siemens)
        shares = {
            f"at {siemens_words(window.g_max_siemens)} (on)": self.on_fraction,
            f"at {siemens_words(window.g_min_siemens)} (off)": self.off_fraction,
            f"between {siemens_words(low)} and {siemens_words(high)}": self.frozen_fraction,
            "in dead rows": self.dead_row_fraction,
            "in dead columns": self.dead_column_fraction,
        }
        kinds = [f"{share_words(share)} {where}" for where, share in shares.items() if share]
        clusters = [f"in clusters of about {self.cluster_cells:g} cells"] if self.cluster_cells else []
        nothing = ["none"] if given else []
        return [", ".join(kinds), *clusters] if kinds else nothing

    def draw(self, g_min_siemens: float, g_max_siemens: float, shape: tuple[int, ...], rng: Streams) -> FaultMap | None:
        """Which cells are stuck, and at what; None where every cell can be written.

        Parameters
        ----------
        g_min_siemens, g_max_siemens
            Window.
        shape
            Shape of the cells; the last two axes are rows and columns.
        rng
            Streams of these cells, not of a write: the map stays. Each kind of fault has its own.

        Raises
        ------
        SpecError
            For dead rows or columns in cells without these axes.
        """
        if self.ideal:
            return None
        uniform = rng.generator().random(shape)
        if self.cluster_cells and uniform.size:
            uniform = self._clustered(shape, rng.generator("field"))
        on = uniform < self.on_fraction
        off = uniform >= 1.0 - self.off_fraction
        g = np.where(on, g_max_siemens, g_min_siemens)
        held = on | off
        if self.frozen_fraction:
            frozen = ~held & (uniform < self.on_fraction + self.frozen_fraction)
            low, high = self.frozen_siemens or (g_min_siemens, g_max_siemens)
            g = np.where(frozen, low + (high - low) * rng.generator("frozen").random(shape), g)
            held |= frozen
        if self.dead_row_fraction or self.dead_column_fraction:
            if len(shape) < 2:
                raise SpecError(f"stuck: dead rows and columns need cells in rows and columns; got the shape {shape}")
            dead_rows = rng.generator("rows").random((*shape[:-1], 1)) < self.dead_row_fraction
            dead_columns = rng.generator("columns").random((*shape[:-2], 1, shape[-1])) < self.dead_column_fraction
            dead = dead_rows | dead_columns
            g, held = np.where(dead, 0.0, g), held | dead
        return FaultMap(held, g)

    def _clustered(self, shape: tuple[int, ...], rng: np.random.Generator) -> FloatArray:
        """Uniform numbers that are alike where cells are near."""
        axes = tuple(range(max(len(shape) - 2, 0), len(shape)))
        single = np.zeros([shape[axis] for axis in axes])
        single[(0,) * len(axes)] = 1.0
        weights = gaussian_filter(single, self.cluster_cells, mode="wrap")
        field = gaussian_filter(rng.standard_normal(shape), self.cluster_cells, mode="wrap", axes=axes)
        return np.asarray(ndtr(field / np.sqrt(np.sum(weights**2))))


class EnduranceSpec(Spec, DevicePart):
    """Wear: what the writes of its past do to a cell.

    Parameters
    ----------
    writes
        Writes that half of the cells survive; without it, all survive any number.
    writes_log
        Standard deviation of the logarithm of the lifetime from cell to cell, up to 20.
    fails
        Where a worn-out cell is stuck: ``"on"`` (highest conductance) or ``"off"``.
    narrowing_per_decade
        Share of the window that is lost at its top for each factor of ten of writes: a target above it is missed.
    """

    declared: ClassVar = Declaration("endurance", (Effect.FAULT,), (Draw("lifetime", "cell"),))

    writes: Positive | None = None
    writes_log: Annotated[float, Field(ge=0, le=20)] = 0.0
    fails: Literal["on", "off"] = "off"
    narrowing_per_decade: Fraction = 0.0

    @property
    def ideal(self) -> bool:
        """Whether writes leave no trace."""
        return self.writes is None and not self.narrowing_per_decade

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        text = []
        if self.writes is not None:
            spread = f" (sigma of the logarithm {self.writes_log:g})" if self.writes_log else ""
            text.append(
                f"half of the cells survive {self.writes:,.0f} writes{spread}; worn out, a cell is stuck {self.fails}"
            )
        if self.narrowing_per_decade:
            share = share_words(self.narrowing_per_decade)
            text.append(f"the window loses {share} at its top for each factor of ten of writes")
        return text

    def top_siemens(self, g_min_siemens: float, g_max_siemens: float, writes: ArrayLike) -> FloatArray:
        """Highest conductance that can be written after so many writes, siemens, in the shape of ``writes``."""
        left = np.maximum(1.0 - self.narrowing_per_decade * np.log10(1.0 + np.asarray(writes)), 0.0)
        return np.asarray(g_min_siemens + left * (g_max_siemens - g_min_siemens))

    def worn_out(self, writes: ArrayLike, shape: tuple[int, ...], rng: np.random.Generator) -> BoolArray:
        """Cells whose lifetime is over after so many writes; ``rng`` belongs to the cells."""
        if self.writes is None:
            return np.zeros(shape, dtype=np.bool_)
        lifetime = self.writes * np.exp(self.writes_log * rng.standard_normal(shape))
        return np.asarray(lifetime <= np.asarray(writes))

"""The conductances that a cell is written to: any in its window, or a number of levels."""

from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from rramsim.arrays import FloatArray
from rramsim.spec import NonNegative, Spec

from .part import Declaration, DevicePart, Effect, Window, siemens_words

__all__ = ["LevelSpec"]


class LevelSpec(Spec, DevicePart):
    """Levels of a cell; a target in between is written to the nearest one.

    Parameters
    ----------
    law
        ``"continuous"``: any conductance of the window; ``"linear"``, ``"log"``: a number of levels from its bottom to
        its top, equidistant in g or in ln g; ``"listed"``: those in ``siemens``.
    count
        Number of levels, linear or log.
    siemens
        The levels, ascending, within the window; listed only.
    """

    declared: ClassVar = Declaration("levels", (Effect.WRITTEN,))

    law: Literal["continuous", "linear", "log", "listed"] = "continuous"
    count: int | None = Field(default=None, ge=2, le=65536)
    siemens: Annotated[tuple[NonNegative, ...], Field(strict=False, max_length=65536)] = ()

    @model_validator(mode="after")
    def _check(self) -> "LevelSpec":
        if (self.count is not None) != (self.law in ("linear", "log")):
            raise ValueError(
                f"count is the number of levels of law = 'linear' or 'log'; got count {self.count} and law {self.law!r}"
            )
        if bool(self.siemens) != (self.law == "listed"):
            raise ValueError("siemens lists the levels of law = 'listed', which needs them")
        if any(after <= before for before, after in zip(self.siemens, self.siemens[1:], strict=False)):
            raise ValueError("siemens: the levels rise")
        return self

    def of(self, g_min_siemens: float, g_max_siemens: float) -> FloatArray | None:
        """The levels of a window, siemens, ascending; None where it is continuous."""
        if self.law == "continuous":
            return None
        if self.law == "listed":
            return np.asarray(self.siemens)
        spaced = np.linspace if self.law == "linear" else np.geomspace
        return np.asarray(spaced(g_min_siemens, g_max_siemens, self.count or 2))

    def sentences(self, window: Window, *, given: bool) -> list[str]:  # noqa: ARG002
        """What the card says of it."""
        levels = self.of(window.g_min_siemens, window.g_max_siemens)
        if levels is None:
            return ["any conductance of the window"]
        spaced = {"linear": ", equidistant in g", "log": ", equidistant in ln g"}.get(self.law, "")
        if len(levels) <= 8:
            return [f"{len(levels)}{spaced}: {', '.join(map(siemens_words, levels.tolist()))}"]
        return [f"{len(levels)}{spaced}, from {siemens_words(float(levels[0]))} to {siemens_words(float(levels[-1]))}"]

"""Attention scores recorded from real models; how is told in ``data/README.md``."""

from difflib import get_close_matches
from functools import cache

import numpy as np

from rramsim.arrays import IntArray, Single
from rramsim.data import data_path
from rramsim.errors import SpecError

__all__ = ["evenly_spread", "recorded_scores"]

_STEP = 889
"""From one row that is chosen to the next, with wrap-around: near the golden section of 1440, and without a factor in
common with it, so that any number of rows is even over heads and inputs. The heads take turns in the file: with equal
spacing few of them would be met.
"""


@cache
def _tables() -> dict[str, Single]:
    with data_path("reference", "scores.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: archive[name].astype(np.float32) for name in sorted(archive.files) if "/" not in name}


def recorded_scores(model: str, rows: int | None = None) -> Single:
    """Scores before the softmax, q k / sqrt(d_head), one query of one head a row.

    Parameters
    ----------
    model
        One of ``rramsim.presets("scores")``.
    rows
        How many rows; None: all. Fewer are spread evenly over layers, heads and inputs.

    Returns
    -------
    numpy.ndarray
        (rows, longest), minus infinity where there is no score: padding, or keys after the query.

    Raises
    ------
    SpecError
        For an unknown model, or more rows than there are.
    """
    tables = _tables()
    if model not in tables:
        close = get_close_matches(model, tables, n=1)
        allowed = f"did you mean {close[0]!r}? Allowed" if close else "allowed"
        raise SpecError(f"no scores were recorded from a model {model!r}; {allowed} are {', '.join(tables)}")
    table = tables[model]
    if rows is None:
        return table.copy()
    if not 1 <= rows <= len(table):
        raise SpecError(f"rows of scores of {model}: 1 to {len(table)}; got {rows}")
    return table[evenly_spread(rows, len(table))]


def evenly_spread(rows: int, n_rows: int) -> IntArray:
    """Numbers of so many of ``n_rows`` recorded rows, ascending, even over heads and inputs."""
    return np.sort(np.arange(rows) * _STEP % n_rows)

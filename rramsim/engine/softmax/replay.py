"""The tables of a compiled softmax engine, replayed over many vectors."""

import numpy as np
from numpy.typing import NDArray

from rramsim.arrays import Single
from rramsim.kernels.softmax import compare_rows, replay_softmax
from rramsim.kernels.tables import EngineTable, Log, new_work

__all__ = ["replay"]


def replay(table: EngineTable, vectors: NDArray[np.uint16], key: np.uint64, log: Log) -> Single:
    """Quotients (n_vectors, length) of rows (n_vectors, length); differences are compiled where they lack."""
    out, work = np.empty(vectors.shape, np.float32), new_work(table, vectors.shape[1])
    done = replay_softmax(table, vectors, 0, key, log, work, out)
    while done < 0:
        row = int(log.maximum[0, -1])
        compare_rows(table, row)
        table.compiled[row] = True
        done = replay_softmax(table, vectors, -1 - done, key, log, work, out)
    return out

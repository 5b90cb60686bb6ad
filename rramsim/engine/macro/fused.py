"""Rows that are on or off: currents, noise, conversion and the sum over pulses in one kernel."""

import numpy as np

from rramsim.kernels.convert import GROUP, WIDTH, bit_serial, pack_pulses
from rramsim.threads import run_slices, thread_count

from .reading import NOT_RECORDED, Conversions, RowReading

__all__ = ["FusedReading"]

_WORTH_A_THREAD = 10**7
"""Cells that conduct, over all pulses, below which a thread costs more than it saves."""
_QUIET = np.empty((0, 0), np.uint16), np.empty(0, np.float32), np.empty(0, np.float32)


class FusedReading(RowReading):
    """A row of tiles whose column currents are sums over the rows that are driven; with converters."""

    def conversions(self) -> Conversions:
        """Codes of all pulses, weighed and added up, without a current being written to memory."""
        reading, columns, m = self.reading, self.columns, self.reading.matrix
        levels = np.stack(self.levels)
        patterns = np.empty((reading.n_vectors * len(levels), -(-self.row.n_rows // GROUP)), np.uint8)
        pack_pulses(levels, patterns)
        variance, unit, fixed = _QUIET
        if columns.noisy:
            variance, unit, fixed = (*(each[m] for each in columns.sixteen_bits), columns.converter_variance[m])
        n_columns = columns.per_level.shape[-1]
        sums = np.zeros((reading.n_vectors, n_columns))
        inputs = np.empty((len(patterns), n_columns), np.float32) if self.record else NOT_RECORDED
        key, transfer, saturated = self.key, self.transfer, []

        def convert(first: int, last: int) -> None:
            saturated.append(
                bit_serial(
                    patterns,
                    columns.per_level[m],
                    columns.offset[m],
                    variance,
                    unit,
                    fixed,
                    key,
                    reading.conversion_weights,
                    *transfer,
                    reading.keys.first_vector,
                    first,
                    last,
                    sums,
                    inputs,
                )
            )

        threads = thread_count() if patterns.size * GROUP * n_columns > _WORTH_A_THREAD else 1
        run_slices(convert, n_columns // WIDTH, threads)
        return Conversions(sums, sum(saturated), inputs)

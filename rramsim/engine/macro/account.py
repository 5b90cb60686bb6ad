"""What a macro counts: its parts, what they do for some vectors, and what writing it took."""

import numpy as np

from rramsim.activity import Activity, Inventory
from rramsim.component_names import CellEnergy, ComponentName

from .held import HeldMatrix
from .mapping import Codes
from .tile import WriteCost

__all__ = ["CountedMatrix"]


class CountedMatrix(HeldMatrix):
    """A matrix held in crossbars, with its account; fields are those of :class:`HeldMatrix`."""

    @property
    def inventory(self) -> Inventory:
        """Parts of one matrix's tiles: whole tiles are built, used or not."""
        return self.spec.parts(*self.shape[-2:])

    def turns(self) -> dict[str, int]:
        """Uses of components that follow one another for one input vector: the columns of a converter take turns."""
        return self.spec.turns(self.shape[-1])

    def activity_of(self, codes: Codes) -> Activity:
        """Uses of components by input vectors (..., n, n_in) as integers, and the energy of the cells."""
        spec, n_vectors, n_pulses = self.spec, codes[..., 0].size, len(self.pulse_weights)
        n_row_tiles, n_column_tiles = self.converters.n_row_tiles, self.converters.n_column_tiles
        # Inputs of converters, of all rows of tiles, for all vectors.
        channels = self.shape[-1] * spec.n_channels + spec.has_unit_column * n_column_tiles
        channels *= n_vectors * n_row_tiles
        counts: dict[str, float] = {
            spec.dac.component: n_vectors * n_pulses * self.shape[-2] * n_column_tiles,
            ComponentName.SAMPLE_HOLD: channels * n_pulses,
            ComponentName.SHIFT_ADD: channels * self.n_conversions,
            CellEnergy.READ: self._read_joule(codes),
        }
        if spec.adc:
            counts[spec.adc.component] = channels * self.n_conversions
        return Activity(counts)

    def _read_joule(self, codes: Codes) -> float:
        """Energy of the cells in rows that are driven."""
        spec = self.spec
        # Squared voltage times length of the pulses of each row, in those of a full pulse.
        power = 2 if spec.dac.coding == "amplitude" else 1
        full = float(spec.dac.largest_level) ** power
        pulses = np.zeros(codes.shape)
        for pulse in spec.pulses(codes):
            pulses += np.abs(pulse.levels.astype(np.int32)) ** power / full
        siemens = 0.0
        for row in self.rows:
            row_siemens = np.sum([tile.row_conductance for tile in row.tiles], axis=0)
            siemens += float(np.sum(pulses[..., row.inputs].sum(axis=-2) * row_siemens))
        return siemens * spec.read_volt**2 * spec.read_second

    @property
    def _write_costs(self) -> list[WriteCost]:
        return [tile.write_cost for row in self.rows for tile in row.tiles]

    @property
    def write_activity(self) -> Activity:
        """What writing all matrices took: the pulses of every cell, and their energy."""
        each = self._write_costs
        pulses, joule = sum(cost.n_pulses for cost in each), sum(cost.joule for cost in each)
        return Activity({ComponentName.WRITE_DRIVER: pulses, CellEnergy.WRITE: joule})

    @property
    def write_errors(self) -> dict[str, int]:
        """Cells that missed their target, where writes are verified."""
        if not self.spec.device.write.verified:
            return {}
        return {"write_failure": sum(cost.n_failed for cost in self._write_costs)}

    @property
    def write_second(self) -> float:
        """Time to write one matrix: the rows of a tile one after another, all tiles and columns at once."""
        return max(cost.second for cost in self._write_costs)

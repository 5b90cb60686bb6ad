"""A device from measured reads: the table, what was followed in it, the statistics, and the fit."""

"""Numbers that were recorded or measured elsewhere, to compare with."""

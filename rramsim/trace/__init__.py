"""The trace file: everything that a run produced, in HDF5."""

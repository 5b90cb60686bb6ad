"""Parameter files of the device models."""

"""The crossbar macro: a matrix product in written tiles, from integers to codes and back."""

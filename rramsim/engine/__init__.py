"""Blocks of arrays that compute a mathematical operation."""

"""Slow, obvious oracles: plain loops, one cell, one bit and one row at a time."""

"""A study that is done in a moment."""

TWO_POINTS = """\
title = "two points"
seed = 5
trials = 1
[scores]
models = ["digits-vit"]
rows = 1
[softmax.format]
integer_bits = 5
fraction_bits = 2
[[sweep]]
name = "two"
vary = { bank_rows = [8, 16] }
"""
"""The text of its file: one engine on one row of scores, then another."""

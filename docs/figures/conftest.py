"""Figures are drawn by hand, ``python docs/figures/ir_drop.py``: pytest does not even import their scripts."""

collect_ignore_glob = ["*.py"]

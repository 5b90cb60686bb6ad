"""Benchmarks are run by hand, ``python tests/benchmarks/network.py``: pytest does not even import them."""

collect_ignore_glob = ["*.py"]

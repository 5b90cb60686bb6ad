"""One of each of what other packages can add to rramsim."""

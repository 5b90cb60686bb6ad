"""One cell: how a conductance is written, and how it is read."""

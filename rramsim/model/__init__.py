"""The embedded workload: a small vision transformer whose products and softmaxes any hardware can compute."""

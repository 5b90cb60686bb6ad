"""Networks in NumPy: a small vision transformer whose products and softmaxes any hardware can compute, and others."""

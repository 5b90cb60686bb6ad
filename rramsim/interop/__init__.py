"""Other people's models: read from packages that they come in, in NumPy alone."""

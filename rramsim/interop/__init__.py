"""Packages of others: what is read from them, in NumPy alone."""

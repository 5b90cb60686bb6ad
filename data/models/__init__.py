"""Trained parameters of the embedded models."""

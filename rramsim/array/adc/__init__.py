"""Analog-to-digital converters: what they have in common, and each circuit with its own errors."""

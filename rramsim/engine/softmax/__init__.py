"""Softmax: the engine of four crossbars, and the digital units that it competes with."""

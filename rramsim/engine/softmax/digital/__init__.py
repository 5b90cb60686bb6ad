"""Softmax in digital logic, behind the interface of the crossbar engine: what it is compared with."""

"""How many examples a property test draws."""

from hypothesis import settings

__all__ = ["examples"]


def examples(count):
    """``count`` in the whole run, with the profile ``full`` of 100 examples; a share of it in shorter ones."""
    return max(1, count * settings.default.max_examples // 100)

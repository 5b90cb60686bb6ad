"""Tables of what components cost."""

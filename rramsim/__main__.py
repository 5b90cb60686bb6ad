"""``python -m rramsim``."""

from .cli import main

main()

"""What the counted work costs: joules, seconds, square metres."""

"""Study files that ship with rramsim."""

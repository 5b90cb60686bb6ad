"""Parameter files of published crossbar macros."""

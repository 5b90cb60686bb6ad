"""The command line: parse, call, print; a file for each subject."""

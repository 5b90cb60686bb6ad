"""The chapters of a report: a file for each subject that a trace may hold."""

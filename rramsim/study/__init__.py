"""Many runs: from a study file to a trace."""

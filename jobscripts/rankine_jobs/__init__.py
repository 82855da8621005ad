"""Many runs from one deck: expansion, run folders, states, teams, jobs; the command `rankine-sweep`."""

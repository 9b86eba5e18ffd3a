"""Where the runs of a sweep run: on this machine, as jobs of Slurm, as tasks of Ray."""

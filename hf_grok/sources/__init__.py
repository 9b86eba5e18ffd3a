"""What a word of --data names, for runs and for probes alike."""

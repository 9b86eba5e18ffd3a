"""onsets."""

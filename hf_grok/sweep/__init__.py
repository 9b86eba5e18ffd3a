"""Many runs of one recipe: arms that differ by a setting, each at several seeds, resumable."""

"""Sweeps that ship with the package: one YAML file each, read by `hf_grok.sweep.plan`."""

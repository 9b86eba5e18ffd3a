"""Minimal pairs: the probe, the rows, the scores of whole sentences."""

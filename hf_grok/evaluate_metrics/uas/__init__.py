"""Unlabelled attachment score of given heads."""

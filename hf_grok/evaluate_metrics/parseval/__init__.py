"""Unlabelled parseval of given spans."""

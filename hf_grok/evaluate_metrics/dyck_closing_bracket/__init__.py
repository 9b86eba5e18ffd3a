"""Accuracy of given closing brackets, by distance."""

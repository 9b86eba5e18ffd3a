"""The cards of a series: from a run's folder to the README of each revision."""

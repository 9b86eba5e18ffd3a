"""Dashboards: what of a run is shown where, and the libraries that show it."""

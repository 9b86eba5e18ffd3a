"""Intrinsic dimension: the probe, and the TwoNN estimator."""

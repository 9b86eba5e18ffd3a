"""Empirical Fisher: the probe, single examples' gradients, labels drawn from the model."""

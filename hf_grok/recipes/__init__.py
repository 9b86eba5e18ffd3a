"""Recipes that ship with the package: NAME/SCALE.yaml, read by `hf_grok.training.recipe`."""

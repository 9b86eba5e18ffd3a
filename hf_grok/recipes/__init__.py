"""Recipes: NAME/SCALE.yaml, and what makes a trained model and its record of one."""

"""A model's own code as one file, for whoever loads a step without this package."""

"""One figure a module, from runs to an axis."""

"""dimension."""

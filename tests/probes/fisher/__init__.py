"""fisher."""

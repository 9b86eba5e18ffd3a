"""The auxiliary that given questions start with."""

"""The main verb of given sentences in the present."""

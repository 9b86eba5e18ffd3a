"""Readers of annotated files: CoNLL-U, tab-separated tasks, minimal pairs in JSON lines."""

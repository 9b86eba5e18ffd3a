"""hf_grok.callbacks."""

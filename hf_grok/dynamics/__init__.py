"""hf_grok.dynamics."""

"""hf_grok.recipes."""

"""hf_grok.behaviour."""

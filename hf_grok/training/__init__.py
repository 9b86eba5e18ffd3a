"""hf_grok.training."""

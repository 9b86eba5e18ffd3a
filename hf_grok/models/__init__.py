"""hf_grok.models."""

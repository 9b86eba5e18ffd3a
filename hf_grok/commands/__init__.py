"""hf_grok.commands."""

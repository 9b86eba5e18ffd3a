"""hf_grok.report."""

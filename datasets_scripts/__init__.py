"""hf_grok.datasets_scripts."""

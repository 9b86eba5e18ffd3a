"""hf_grok.model_cards."""

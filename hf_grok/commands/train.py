"""`hf-grok train`: the same as `python -m hf_grok.train`."""

from hf_grok.train import main

__all__ = ["main"]

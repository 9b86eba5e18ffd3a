"""The version of hf-grok."""

__version__ = "0.1.0"

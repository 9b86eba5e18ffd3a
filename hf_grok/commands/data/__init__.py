"""`hf-grok data`: generate a language or read its files; `hf-grok data parse`: parse raw text."""

from hf_grok.commands.data.command import main

__all__ = ["main"]

"""`hf-grok onsets`: when each curve of a run, of several seeds or of a file begins."""

from hf_grok.commands.onsets.command import build_parser, main

__all__ = ["build_parser", "main"]

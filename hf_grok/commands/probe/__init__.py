"""`hf-grok probe`: probes on a saved model, or on a whole series of checkpoints."""

from hf_grok.commands.probe.command import build_parser, main

__all__ = ["build_parser", "main"]

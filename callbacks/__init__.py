"""Callbacks for any `transformers.Trainer`."""

from hf_grok.callbacks.log_spaced import LogSpacedCallback
from hf_grok.callbacks.progress import AccuracyProgressCallback
from hf_grok.callbacks.run_table import RunTableCallback

__all__ = ["AccuracyProgressCallback", "LogSpacedCallback", "RunTableCallback"]

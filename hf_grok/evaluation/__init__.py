"""Probes after the fact: on one model, or on every checkpoint of a series."""

from hf_grok.evaluation.checkpoints import Checkpoint, at_steps, find_checkpoints
from hf_grok.evaluation.offline import AskedProbe, probe_series
from hf_grok.evaluation.results import ProbeResults

__all__ = [
    "AskedProbe",
    "Checkpoint",
    "ProbeResults",
    "at_steps",
    "find_checkpoints",
    "probe_series",
]

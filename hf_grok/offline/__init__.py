"""Probes after the fact: on one model, or on every checkpoint of a series."""

from hf_grok.offline.checkpoints import Checkpoint, at_steps, find_checkpoints
from hf_grok.offline.probe_series import AskedProbe, probe_series
from hf_grok.offline.results import ProbeResults

__all__ = [
    "AskedProbe",
    "Checkpoint",
    "ProbeResults",
    "at_steps",
    "find_checkpoints",
    "probe_series",
]

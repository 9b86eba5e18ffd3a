"""hf_grok.dynamics: what a run's curves say: crossings, grokking delay, early-stopping gap."""

from hf_grok.dynamics.delay import grokking_delay
from hf_grok.dynamics.early_stopping import EarlyStopping, early_stopping_gap
from hf_grok.dynamics.grokking import GrokkingSummary, grokking_summary
from hf_grok.dynamics.runs import Run, load_run

__all__ = [
    "EarlyStopping",
    "GrokkingSummary",
    "Run",
    "early_stopping_gap",
    "grokking_delay",
    "grokking_summary",
    "load_run",
]

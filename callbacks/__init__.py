"""Callbacks for any `transformers.Trainer`."""

from hf_grok.callbacks.checkpoint_series import CheckpointSeriesCallback
from hf_grok.callbacks.dashboard import DashboardCallback
from hf_grok.callbacks.log_spaced import LogSpacedCallback
from hf_grok.callbacks.probe import ProbeCallback, ProbeFailedError
from hf_grok.callbacks.progress import AccuracyProgressCallback
from hf_grok.callbacks.run_table import RunTableCallback
from hf_grok.callbacks.stop_after_crossing import StopAfterCrossingCallback

__all__ = [
    "AccuracyProgressCallback",
    "CheckpointSeriesCallback",
    "DashboardCallback",
    "LogSpacedCallback",
    "ProbeCallback",
    "ProbeFailedError",
    "RunTableCallback",
    "StopAfterCrossingCallback",
]

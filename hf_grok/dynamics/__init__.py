"""hf_grok.dynamics: what curves say: onsets, crossings, grokking delay, early-stopping gap."""

from hf_grok.dynamics.curve_files import MetricCurve, read_curves
from hf_grok.dynamics.delay import grokking_delay
from hf_grok.dynamics.early_stopping import EarlyStopping, early_stopping_gap
from hf_grok.dynamics.grokking import GrokkingSummary, grokking_summary
from hf_grok.dynamics.onsets.axes import available_axes, progress_axis
from hf_grok.dynamics.onsets.bootstrap import SeedOnset, bootstrap_onset
from hf_grok.dynamics.onsets.existence import ExistenceTest, NoOnset, Onset
from hf_grok.dynamics.onsets.find import default_window, find_onset
from hf_grok.runs.read import Run, load_run

__all__ = [
    "EarlyStopping",
    "ExistenceTest",
    "GrokkingSummary",
    "MetricCurve",
    "NoOnset",
    "Onset",
    "Run",
    "SeedOnset",
    "available_axes",
    "bootstrap_onset",
    "default_window",
    "early_stopping_gap",
    "find_onset",
    "grokking_delay",
    "grokking_summary",
    "load_run",
    "progress_axis",
    "read_curves",
]

"""Checkpoint series: a journal on disk, pushing that loses nothing, verification by hashes."""

from hf_grok.runs.step import StepValues
from hf_grok.series.errors import PushingStopsError, RefusedStepError, SeriesError
from hf_grok.series.local.journal import Journal, State, StepRecord
from hf_grok.series.local.manifest import INDEX_FILE, SERIES_FILE, Index, Manifest
from hf_grok.series.local.safety import mask_tokens, safe_path
from hf_grok.series.naming import RevisionTemplate
from hf_grok.series.revision_names import NameReader, known_step
from hf_grok.series.run_series import RunSeries

__all__ = [
    "INDEX_FILE",
    "SERIES_FILE",
    "Index",
    "Journal",
    "Manifest",
    "NameReader",
    "PushingStopsError",
    "RefusedStepError",
    "RevisionTemplate",
    "RunSeries",
    "SeriesError",
    "State",
    "StepRecord",
    "StepValues",
    "known_step",
    "mask_tokens",
    "safe_path",
]

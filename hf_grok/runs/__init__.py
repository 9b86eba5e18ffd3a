"""hf_grok.runs: the folder of a run, written and read: its record, tables, checkpoints, steps.

Every name loads on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily

if TYPE_CHECKING:
    from hf_grok.runs.results import load_results, load_runs

_HOMES = {"load_results": "results", "load_runs": "results"}

__all__ = ["load_results", "load_runs"]

__getattr__, __dir__ = lazily(__name__, _HOMES)

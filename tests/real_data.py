"""Where real treebanks and minimal pairs lie: beside or in the checkout, never part of it."""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PLACES = (_ROOT / "shared" / "data", _ROOT.parent / "shared" / "data")


def _found() -> Path:
    if named := os.environ.get("HF_GROK_REAL_DATA"):
        return Path(named)
    return next((place for place in _PLACES if place.is_dir()), _PLACES[0])


REAL_DATA = _found()
"""HF_GROK_REAL_DATA, else shared/data in or beside the checkout; tests skip what it lacks."""
EWT = REAL_DATA / "ud_english_ewt_dev.conllu"
BLIMP = REAL_DATA / "blimp"
ENGLISH = REAL_DATA / "english"

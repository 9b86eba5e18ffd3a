"""What several tests of the callbacks ask for."""

from __future__ import annotations

import pytest

from hf_grok.callbacks import checkpoint_series


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the series' callback logs at warning level and above."""
    texts: list[str] = []
    for level in ("warning", "error"):
        monkeypatch.setattr(checkpoint_series.logger, level, texts.append)
    return texts

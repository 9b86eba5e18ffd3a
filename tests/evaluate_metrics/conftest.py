"""Caches of `evaluate` that are this session's, never the user's."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="session")
def _private_evaluate_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """One for the session: the module `evaluate_modules` is imported from its place only once."""
    import evaluate

    home = tmp_path_factory.mktemp("evaluate")
    for name in ("HF_MODULES_CACHE", "HF_METRICS_CACHE", "HF_EVALUATE_CACHE"):
        setattr(evaluate.config, name, home / name)

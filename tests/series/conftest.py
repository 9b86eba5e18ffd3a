"""The tests of series talk to a Hub of their own."""

import pytest

from hf_grok.series.hub import pusher
from tests.hub_server.fixtures import hub_server, hub_waits

__all__ = ["hub_server", "hub_waits", "quick"]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures are followed by the next attempt at once."""
    monkeypatch.setattr(pusher, "delay", lambda attempt, asked: 0.0)

"""Fixtures of the server, for any test: `from tests.hub_server.fixtures import hub_server`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub_server.client import no_waiting
from tests.hub_server.server import HubServer


@pytest.fixture
def hub_server(tmp_path: Path) -> Iterator[HubServer]:
    """A running Hub; this process's libraries talk to it, with a token that may write."""
    with HubServer(tmp_path / "hub_server") as server, server.patched():
        yield server


@pytest.fixture
def hub_waits() -> Iterator[list[float]]:
    """The client's retries do not sleep; the list says how long they would have, in seconds."""
    with no_waiting() as waits:
        yield waits

"""The server's own tests use its fixtures, and a folder as a step of a series has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hub_server.fixtures import hub_server, hub_waits

__all__ = ["checkpoint", "hub_server", "hub_waits"]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    (folder / "extra").mkdir(parents=True)
    (folder / "config.json").write_text('{"step": 2}')
    (folder / "model.safetensors").write_bytes(b"weights of step 2" * 1000)
    (folder / "extra" / 'a "b" #ü%2F.txt').write_text("a name that must be quoted")
    return folder

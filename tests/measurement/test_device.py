from __future__ import annotations

import json

import pytest

from tests.processes import Apart


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict[str, float | str]]:
    """What `tests.measurement.looks` prints; in a process of its own, which has another device."""
    finished = Apart(["-m", "tests.measurement.looks"]).finished()
    assert finished.returncode == 0, finished.stderr[-3000:]
    found: dict[str, dict[str, float | str]] = json.loads(finished.stdout.splitlines()[-1])
    return found


def test_everything_is_measured_on_a_device_without_float64(
    outcomes: dict[str, dict[str, float | str]],
) -> None:
    found = outcomes["found"]
    assert len(found) >= 13, "probes, evaluations, penalty, loss, run"
    off = {name: each for name, each in found.items() if isinstance(each, str) or each > 1e-5}
    assert off == {}


def test_the_device_would_have_refused(outcomes: dict[str, dict[str, float | str]]) -> None:
    pretended = outcomes["pretended"]
    assert len(pretended) >= 7
    passed = {name for name, each in pretended.items() if "has no torch.float64" not in str(each)}
    assert passed == set()

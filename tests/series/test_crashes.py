"""A death before and after every line of the journal and every commit, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi

from hf_grok.series import Journal, RunSeries, State
from hf_grok.series.verify.hub import verify_hub
from tests.hub_server import HubServer
from tests.series.material import (
    REPO,
    pusher_of,
    save_checkpoint,
    series_of,
    weights_of,
    weights_on,
)

STEPS = (1, 2)
# Each step: saved, staged, pushed, verified; and its commit, and that of main.
LINES, COMMITS = 4 * len(STEPS), len(STEPS) + 1


class DeathError(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


def dying(action: Callable[..., Any], at: int, after: bool) -> Callable[..., Any]:
    """The action, with a death before or after its call number `at`, counted from 0."""
    calls = []

    def instead(*positional: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == at + 1 and not after:
            raise DeathError
        found = action(*positional, **named)
        if len(calls) == at + 1:
            raise DeathError
        return found

    return instead


def live(run: Path) -> RunSeries:
    """What a process does with a run: take up what is there, set aside, push."""
    series = series_of(run)
    series.recover()
    told: list[str] = []
    series.adopt(run, None, told.append)
    assert told == []
    pusher_of(series).push_waiting()
    return series


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("owner", "name", "at"),
    [
        *((Journal, "append", number) for number in range(LINES)),
        *((HfApi, "create_commit", number) for number in range(COMMITS)),
    ],
)
def test_a_death_loses_nothing_and_doubles_nothing(
    tmp_path: Path,
    hub_server: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    owner: type,
    name: str,
    at: int,
    after: bool,
) -> None:
    for step in STEPS:
        save_checkpoint(tmp_path, step)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, dying(getattr(owner, name), at, after))
        with pytest.raises(DeathError):
            live(tmp_path)
    records = live(tmp_path).journal.records()
    assert [record.state for record in records.values()] == [State.VERIFIED] * len(STEPS)
    for step in STEPS:
        assert weights_on(hub_server, f"step{step}") == weights_of(tmp_path, step)
    assert weights_on(hub_server, "main") == weights_of(tmp_path, STEPS[-1])
    assert len([s for s in hub_server.log.statuses("commit") if s == 200]) == COMMITS
    assert verify_hub(REPO, quiet=True).problems == ()

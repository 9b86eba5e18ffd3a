"""Killed at any moment, the series goes on where it stopped."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from hf_grok.series import Journal, State
from tests.hub_server import Fault, HubServer
from tests.series.fault_campaign import Campaign, Plan, Tally, end, train

STEPS = (0, 1, 2, 4)


@pytest.mark.slow
def test_a_short_campaign(tmp_path: Path) -> None:
    """`benchmarks/series_faults.py` is the long one."""
    total = Tally()
    with HubServer(tmp_path / "server") as server:
        campaign = Campaign(tmp_path, server, STEPS)
        for seed in (1, 4, 5):
            total += campaign.run(seed)
    assert total.kills > 2
    assert total.clean, total
    assert total.bit_equal == 12


def test_killed_while_the_hub_takes_a_commit(tmp_path: Path) -> None:
    """The commit is made, the process never hears of it: it is not made again."""
    with HubServer(tmp_path / "server") as server:
        campaign = Campaign(tmp_path, server, STEPS)
        job = campaign.prepare(0)
        job = replace(job, plan=replace(job.plan, full=0.0, rotation=1))
        server.faults.next("commit", Fault.LATENCY, after=1, seconds=0.5)
        process = campaign.start(train, job)
        while not server.faults.count(Fault.LATENCY):
            assert process.is_alive(), (job.folder / "run.log").read_text()
            time.sleep(0.01)
        end(process, 0)
        assert Journal(job.run / "series").records()[1].state is State.STAGED
        assert end(campaign.start(train, job), 60) == 0
        tally = campaign.finish(job)
        assert tally.clean, tally
        commits = server.log.entries("commit")
    assert len({entry.path for entry in commits}) == len(STEPS) + 1  # each step, and main


def test_seeds_draw_all_kinds_of_runs() -> None:
    plans = [Plan.draw(seed) for seed in range(50)]
    assert {len(plan.kills) for plan in plans} == {0, 1, 2, 3}
    assert {plan.rotation for plan in plans} == {0, 1, 2}
    assert any(plan.full for plan in plans)
    assert any(any(plan.pushes) for plan in plans)
    assert not any(plan.full and plan.rotation for plan in plans)
    assert plans[7] == Plan.draw(7)


@pytest.mark.parametrize("number", ["wrong", "duplicated", "leaked", "unclean"])
def test_a_tally_with_a_fault_is_not_clean(number: str) -> None:
    assert Tally(12, 12, 12).clean
    assert not Tally(12, 11, 11).clean
    assert not Tally(12, 12, 11).clean
    assert not Tally(12, 12, 12, **{number: 1}).clean

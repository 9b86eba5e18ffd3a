"""Cores that a process may use: of its machine, its affinity, and the quota of its groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hf_grok._cores import usable_cores


@pytest.fixture(autouse=True)
def _six_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)


def cores(folder: Path, groups: str, **files: str) -> int:
    """As told by /proc/self/cgroup and files, `a__b` for a/b, under /sys/fs/cgroup."""
    listed = folder / "groups"
    listed.write_text(groups, encoding="utf-8")
    for name, content in files.items():
        path = folder / "mounted" / name.replace("__", "/").replace("_max", ".max")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return usable_cores(listed, folder / "mounted")


def test_affinity_without_control_groups(tmp_path: Path) -> None:
    assert usable_cores(tmp_path / "none", tmp_path) == 6


def test_a_system_without_affinity_counts_its_cores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 11)
    assert usable_cores(tmp_path / "none", tmp_path) == 11
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores(tmp_path / "none", tmp_path) == 1


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        *(("200000 100000", 2), ("350000 100000", 3), ("50000 100000", 1)),
        *(("max 100000", 6), ("6400000 100000", 6)),
    ],
)
def test_the_quota_of_a_container(tmp_path: Path, limit: str, expected: int) -> None:
    assert cores(tmp_path, "0::/\n", cpu_max=limit) == expected


def test_the_tightest_of_the_groups_above_counts(tmp_path: Path) -> None:
    limits = {"a__cpu_max": "300000 100000", "a__b__cpu_max": "max 100000"}
    assert cores(tmp_path, "0::/a/b/c\n", **limits) == 3
    assert cores(tmp_path, "0::/other\n") == 6


def test_the_first_version_of_control_groups(tmp_path: Path) -> None:
    """Named by its host, mounted as its own: how a container without a namespace sees it."""
    lines = "4:memory:/docker/1\n3:cpuset:/\n2:cpu,cpuacct:/docker/1\n0::/docker/1\n"
    limits = {"cpu__cpu.cfs_quota_us": "400000\n", "cpu__cpu.cfs_period_us": "100000\n"}
    assert cores(tmp_path, lines, **limits) == 4
    assert cores(tmp_path, lines, **{**limits, "cpu__cpu.cfs_quota_us": "-1\n"}) == 6

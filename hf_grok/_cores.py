"""How many processor cores this process may use, which is often less than the machine has."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

_GROUPS = Path("/proc/self/cgroup")
_MOUNTED = Path("/sys/fs/cgroup")


def usable_cores(groups: Path = _GROUPS, mounted: Path = _MOUNTED) -> int:
    """The fewer of the cores that affinity allows and those that the quota is worth; 1 or more.

    A scheduler's job is kept to some of its machine's cores, a container to a share of their time:
    as many threads or runs as the machine has cores would wait for each other there.

    Args:
        groups: what lists the control groups of the process; without it there is no quota.
        mounted: where their limits can be read.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count() or 1
    quota = min(_quotas(groups, mounted), default=math.inf)
    return max(1, math.floor(min(cores, quota)))


def _quotas(groups: Path, mounted: Path) -> Iterator[float]:
    """In cores, of every control group that the process is in, and of those above it."""
    with suppress(OSError):
        for line in groups.read_text(encoding="utf-8").splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                yield from _along(mounted, path, _second_version)
            elif "cpu" in controllers.split(","):
                yield from _along(mounted / "cpu", path, _first_version)


def _along(mount: Path, path: str, quota: Callable[[Path], float]) -> Iterator[float]:
    """A container may see the names of its host, and its own limits where they are mounted."""
    group = mount / path.strip("/")
    for folder in (group, *group.parents):
        with suppress(OSError):
            yield quota(folder)
        if folder == mount:
            return


def _second_version(folder: Path) -> float:
    """`cpu.max` is "200000 100000", microseconds in each so many, or "max 100000"."""
    time, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
    return math.inf if time == "max" else int(time) / int(period)


def _first_version(folder: Path) -> float:
    """The same two numbers in files of their own; -1 for no limit."""
    names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
    time, period = (int((folder / name).read_text(encoding="utf-8")) for name in names)
    return math.inf if time < 0 else time / period

"""Seconds to generate question formation with its trees and heads, on one core.

    python benchmarks/grammar_speed.py [--examples 100000] [--repeats 3]

Three measures, each the best of the repeats: drawing distinct lines; the same with all columns;
`download_and_prepare`, which also writes the Arrow file. The budget is for one core, so it is held
against CPU seconds of this one process; wall time, which other load stretches, stands beside them.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import datasets
import pyarrow

import hf_grok
from hf_grok.datasets_scripts import QuestionFormation

BUDGET_SECONDS = 15.0


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def builder(examples: int, folder: Path) -> QuestionFormation:
    return QuestionFormation(
        "default",
        cache_dir=folder,
        train_size=examples,
        validation_size=0,
        test_size=0,
        generalization_size=0,
    )


def draw(examples: int, folder: Path) -> None:
    for _ in builder(examples, folder).examples("train"):
        pass


def annotate(examples: int, folder: Path) -> None:
    made = builder(examples, folder)
    for example in made.examples("train"):
        made.row(example)


def prepare(examples: int, folder: Path) -> None:
    shutil.rmtree(folder)
    builder(examples, folder).download_and_prepare()


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--examples", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    datasets.disable_progress_bars()
    print(f"machine   {processor()}, {platform.platform()}")
    print(
        f"versions  hf-grok {hf_grok.__version__}, Python {platform.python_version()}, "
        f"datasets {datasets.__version__}, pyarrow {pyarrow.__version__}"
    )
    seconds = {}
    for work in (draw, annotate, prepare):
        with tempfile.TemporaryDirectory() as folder:
            job = partial(work, arguments.examples, Path(folder))
            runs = [timed(job) for _ in range(arguments.repeats)]
        wall, cpu = min(runs, key=lambda run: run[1])
        seconds[work.__name__] = cpu
        print(
            f"{work.__name__:9} {wall:6.2f} s wall, {cpu:6.2f} s CPU, {arguments.examples:,} lines"
        )
    met = seconds["annotate"] <= BUDGET_SECONDS
    print(f"budget    trees and heads in {BUDGET_SECONDS:g} s of CPU: {'met' if met else 'MISSED'}")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())

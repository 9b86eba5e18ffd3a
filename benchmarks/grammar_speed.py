"""Seconds to generate question formation and `Agreement` with trees and heads, on one core.

    python benchmarks/grammar_speed.py [--language NAME] [--examples N] [--repeats 3]

Three measures, each the best of the repeats: drawing distinct lines; the same with all columns;
`download_and_prepare`, which also writes the Arrow file. A budget is for one core, so it is held
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
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import datasets
import pyarrow

import hf_grok
from hf_grok.datasets_scripts import Agreement, QuestionFormation


@dataclass(frozen=True)
class Budget:
    """What must be done in how many seconds of CPU for so many lines."""

    builder: Callable[..., Any]
    lines: int
    measure: str
    seconds: float


BUDGETS = {
    "question-formation": Budget(QuestionFormation, 100_000, "annotate", 15.0),
    "agreement": Budget(Agreement, 200_000, "prepare", 60.0),
}


def timed(work: Callable[[], None]) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def build(budget: Budget, examples: int, folder: Path) -> Any:
    return budget.builder(
        "default",
        cache_dir=folder,
        train_size=examples,
        validation_size=0,
        test_size=0,
        generalization_size=0,
    )


def draw(budget: Budget, examples: int, folder: Path) -> None:
    for _ in build(budget, examples, folder).examples("train"):
        pass


def annotate(budget: Budget, examples: int, folder: Path) -> None:
    made = build(budget, examples, folder)
    for example in made.examples("train"):
        made.row(example)


def prepare(budget: Budget, examples: int, folder: Path) -> None:
    shutil.rmtree(folder)
    build(budget, examples, folder).download_and_prepare()


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def measured(language: str, examples: int, repeats: int) -> bool:
    """Print the seconds of one language; whether its budget, scaled to `examples`, was met."""
    budget, seconds = BUDGETS[language], {}
    print(f"{language}, {examples:,} lines")
    for work in (draw, annotate, prepare):
        with tempfile.TemporaryDirectory() as folder:
            job = partial(work, budget, examples, Path(folder))
            runs = [timed(job) for _ in range(repeats)]
        wall, cpu = min(runs, key=lambda run: run[1])
        seconds[work.__name__] = cpu
        each = 1e6 * cpu / examples
        print(f"  {work.__name__:9} {wall:6.2f} s wall, {cpu:6.2f} s CPU, {each:4.0f} us a line")
    allowed = budget.seconds * examples / budget.lines
    met = seconds[budget.measure] <= allowed
    said = "met" if met else "MISSED"
    print(f"  budget    {budget.measure} in {allowed:g} s of CPU: {said}")
    return met


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--language", choices=[*BUDGETS], help="one of them only")
    parser.add_argument("--examples", type=int, help="lines; the budget's when left out")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    datasets.disable_progress_bars()
    print(f"machine   {processor()}, {platform.platform()}")
    print(
        f"versions  hf-grok {hf_grok.__version__}, Python {platform.python_version()}, "
        f"datasets {datasets.__version__}, pyarrow {pyarrow.__version__}"
    )
    languages = [arguments.language] if arguments.language else [*BUDGETS]
    met = [
        measured(name, arguments.examples or BUDGETS[name].lines, arguments.repeats)
        for name in languages
    ]
    return 0 if all(met) else 1


if __name__ == "__main__":
    sys.exit(main())

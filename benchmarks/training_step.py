"""Steps per second of `hf-grok train` against a plain loop and against the arithmetic floor.

    python benchmarks/training_step.py [--quick] [--only d128] [--threads 0 1]

One run compares, at the same sizes, on the same lines, in turns of a few steps:

- plain: the loop of benchmarks/plain_loop.py (padding to the longest, fp32, unfused attention and
  optimizer, one .item() a step), as anybody writes it first;
- ours: `hf-grok train` itself, and again with one ingredient at a time switched off;
- floor: the matrix products of a step over its real tokens, and nothing else.

Every loop is a process of its own; one works while the others wait. Times are wall times of steps,
evaluations and start-up left out. Other busy processes disturb them, and a second thread beside
them by far the most: the load of others is printed, and `--threads 1` is the steadier comparison.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from statistics import median

import arms
import matrix_floor
from pacing import Arm, busy_cores
from plain_loop import Size

from hf_grok.recipes.trainer.hardware import WORK_FOR_THREADS
from hf_grok.runs.record import machine

SIZES = {"d512": Size(6, 512, 2048, 8, 8), "d128": Size(4, 128, 512, 8, 32)}
WITHOUT = {
    "length buckets": ("--bucketed_batches", "false"),
    "pooled masks": ("--dropout_masks", "drawn"),
    "batched attention (sdpa)": ("--attention", "sdpa"),
    "batched attention (eager)": ("--attention", "eager"),
    "fused AdamW": ("--optim", "adamw_torch"),
}
# libgomp's own default for the plain loop; `hf-grok train` sets PASSIVE itself.
UNSET = {"OMP_WAIT_POLICY": None, "OMP_NUM_THREADS": None}


@dataclass
class Comparison:
    """The loops at one size, with `threads` threads each; 0: as many as each chooses."""

    size: Size
    threads: int
    device: str
    plain: Arm
    ours: Arm
    without: dict[str, Arm]
    floor: Arm | None = None

    @classmethod
    def start(
        cls, size: Size, threads: int, warm_up: int, device: str, *, ingredients: bool
    ) -> Comparison:
        """Start the loops; they are at work until `wait_until_ready` returns."""
        plain = Arm("plain", arms.plain, size, warm_up, threads, device, environment=UNSET)
        changes = {"": (), **(ingredients_of(size, threads) if ingredients else {})}
        ours = {}
        for name, options in changes.items():
            on_cpu = str(device == "cpu").lower()
            words = ("--threads", str(threads), "--use_cpu", on_cpu, *options)
            label = f"ours without {name}" if name else "ours"
            ours[name] = Arm(label, arms.ours, size, warm_up, words, environment=UNSET)
        return cls(size, threads, device, plain, ours.pop(""), ours)

    @property
    def loops(self) -> list[Arm]:
        """Every loop, the floor last."""
        training = [self.plain, self.ours, *self.without.values()]
        return training if self.floor is None else [*training, self.floor]

    def wait_until_ready(self) -> None:
        """Wait for the loops' warm-up, then start a floor with the threads that ours chose."""
        for arm in self.loops:
            arm.wait_until_ready()
        parameters = {arm.about["parameters"] for arm in self.loops}
        if len(parameters) != 1:
            raise SystemExit(f"the models differ: {sorted(parameters)} parameters")
        about, chosen = self.plain.about, self.ours.about
        step = (
            self.size,
            about["vocabulary"],
            about["mean_length"],
            chosen["precision"],
            self.device,
        )
        self.floor = Arm("floor", arms.floor, chosen["threads"], *step, environment=UNSET)
        self.floor.wait_until_ready()

    def run(self, rounds: int, steps: int) -> None:
        """Give every loop `rounds` turns of `steps` steps, one after the other."""
        for _ in range(rounds):
            for arm in self.loops:
                arm.turn(steps)

    def stop(self) -> None:
        """End every process."""
        for arm in self.loops:
            arm.stop()

    def report(self) -> None:
        """Print the table, the ratio, and what each ingredient gives."""
        about, chosen = self.plain.about, self.ours.about
        work = matrix_floor.operations(self.size, about["vocabulary"], about["mean_length"])
        floor = middle(self.loops[-1])
        print(
            f"{about['parameters']:,} parameters, {about['mean_length']:.1f} tokens a line; "
            f"plain in fp32, ours in {chosen['precision']}; the floor is {work / 1e9:.2f} G "
            f"operations a step, measured at {work / floor / 1e9:.0f} G a second"
        )
        print(
            f"{'':<40}{'threads':>8}{'ms':>9}{'5 - 95 % of steps':>20}{'CPU ms':>9}"
            f"{'steps/s':>9}{'of floor':>9}{'padding':>9}"
        )
        for arm in self.loops:
            print(row(arm, floor))
        each = ratios(self.plain, self.ours)
        print(f"ours / plain: {median(each):.2f} times the steps a second ", end="")
        print(f"(rounds {min(each):.2f} - {max(each):.2f})")
        for name, arm in self.without.items():
            print(f"  of it by {name:<34}{median(ratios(arm, self.ours)):.2f}")


def ingredients_of(size: Size, threads: int) -> dict[str, tuple[str, ...]]:
    """Options of `hf-grok train` that take one ingredient away."""
    if threads:
        return WITHOUT
    other = 1 if size.width * size.batch >= WORK_FOR_THREADS else os.cpu_count()
    return {**WITHOUT, f"its own threads (but {other})": ("--threads", str(other))}


def middle(arm: Arm) -> float:
    """Median seconds of a step over all turns."""
    return median(wall for turn in arm.rounds for wall, _ in turn)


def ratios(slow: Arm, fast: Arm) -> list[float]:
    """Round by round, how many steps of `fast` take the time of one of `slow`."""
    return [
        median(wall for wall, _ in one) / median(wall for wall, _ in other)
        for one, other in zip(slow.rounds, fast.rounds, strict=True)
    ]


def row(arm: Arm, floor: float) -> str:
    """One loop of the table: its step, its speed, and how near the floor it comes."""
    walls = sorted(1000 * wall for turn in arm.rounds for wall, _ in turn)
    processor = 1000 * median(cpu for turn in arm.rounds for _, cpu in turn)
    twentieth = (len(walls) - 1) // 20
    padding = f"{arm.about['padding']:>9.1%}" if "padding" in arm.about else ""
    return (
        f"{arm.name:<40}{arm.about['threads']:>8}{1000 * middle(arm):>9.1f}"
        f"{walls[twentieth]:>10.1f} -{walls[-1 - twentieth]:>8.1f}{processor:>9.1f}"
        f"{1 / middle(arm):>9.2f}{floor / middle(arm):>9.0%}{padding}"
    )


def print_machine() -> None:
    described = machine("cpu", 0)
    print(f"machine   {described['processor']}, {described['cores']} cores, {platform.platform()}")
    packages = ("torch", "transformers", "accelerate", "numpy")
    named = ", ".join(f"{package} {version(package)}" for package in packages)
    print(f"versions  Python {platform.python_version()}, {named}")


def print_load() -> None:
    busy = busy_cores()
    if busy is not None:
        note = ": OTHERS ARE AT WORK, read the ranges" if busy > 0.2 else ""
        print(f"load      {busy:.2f} cores busy while every loop waits{note}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7, help="turns that each loop gets")
    parser.add_argument("--steps", type=int, default=20, help="steps a turn")
    parser.add_argument("--warm-up", type=int, default=15, help="steps before the first turn")
    parser.add_argument("--only", choices=SIZES, help="one size instead of both")
    parser.add_argument(
        "--threads",
        type=int,
        nargs="+",
        default=[0, 1],
        help="comparisons made: 0 lets each loop choose; ingredients are taken away in the first",
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--quick", action="store_true", help="few steps, no ingredients")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.steps, options.warm_up = 3, 5, 3
    print_machine()
    for name in [options.only] if options.only else SIZES:
        for threads in options.threads:
            ingredients = threads == options.threads[0] and not options.quick
            counted = f"{threads} thread(s) each" if threads else "threads as each chooses"
            print(f"\n{SIZES[name]}; {counted}", flush=True)
            compared = Comparison.start(
                SIZES[name], threads, options.warm_up, options.device, ingredients=ingredients
            )
            compared.wait_until_ready()
            print_load()
            compared.run(options.rounds, options.steps)
            print_load()
            compared.stop()
            compared.report()


if __name__ == "__main__":
    main()

"""What bf16, length buckets and pooled dropout masks change in the loss curve.

    python benchmarks/loss_curves.py [--steps 2000] [--seeds 4] [--out runs/loss-curves]

The quick question-formation recipe, trained with each ingredient alone, with none ("plain": fp32,
shuffled batches, masks drawn afresh) and with all (as shipped), over the same seeds. Printed is the
validation loss (nats a token) at doubling steps: mean over seeds, and how far each way lies from
plain in units of the standard error that seeds alone give. A run that is there already is read, not
repeated, so an interrupted comparison goes on.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.runs.record import machine
from hf_grok.train import run

PLAIN = {"precision": "fp32", "bucketed_batches": "false", "dropout_masks": "drawn"}
SHIPPED = {"precision": "bf16", "bucketed_batches": "true", "dropout_masks": "pooled"}
WAYS = {
    "plain": PLAIN,
    "bf16": {**PLAIN, "precision": "bf16"},
    "length buckets": {**PLAIN, "bucketed_batches": "true"},
    "pooled masks": {**PLAIN, "dropout_masks": "pooled"},
    "all three": SHIPPED,
}


def losses(way: str, seed: int, steps: int, out: Path) -> dict[int, float]:
    """Step -> validation loss of one run, trained now if it is not there."""
    folder = out / f"{way.replace(' ', '-')}-seed{seed}"
    info = folder / "run.json"
    status = json.loads(info.read_text())["status"] if info.is_file() else None
    if status != "finished":
        words = [word for key, value in WAYS[way].items() for word in (f"--{key}", value)]
        words += ["--seed", str(seed), "--max_steps", str(steps), "--evaluations", "log:250"]
        words += ["--probes", "none", "--checkpoints", f"0,{steps}", "--disable_tqdm", "true"]
        words += ["--output_dir", str(folder)]
        run(parse(load_recipe("question-formation"), words), resume=status is not None)
    rows = map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())
    return {row["step"]: row["eval_loss"] for row in rows if "eval_loss" in row}


def report(curves: dict[str, list[dict[int, float]]], steps: Sequence[int]) -> None:
    """The table: a line a way, a column a step."""
    values = {
        way: np.array([[curve[step] for step in steps] for curve in runs])
        for way, runs in curves.items()
    }
    plain = values["plain"]
    count = len(plain)
    error = plain.std(axis=0, ddof=1) * np.sqrt(2 / count)
    print(f"{'validation loss at step':<24}" + "".join(f"{step:>18,}" for step in steps))
    for way, table in values.items():
        cells = [
            f"{mean:>10.4f} ({apart:+.1f})"
            for mean, apart in zip(
                table.mean(axis=0), (table - plain).mean(axis=0) / error, strict=True
            )
        ]
        print(f"{way:<24}" + "".join(f"{cell:>18}" for cell in cells))
    spread = "".join(f"{value:>18.4f}" for value in plain.std(axis=0, ddof=1))
    print(f"{'between seeds, plain':<24}{spread}")
    print(f"in brackets: distance from plain in standard errors of a difference of {count} seeds")


def draw(curves: dict[str, list[dict[int, float]]], path: Path) -> None:
    """Mean and range over seeds of each way, on logarithmic steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.8))
    axes = figure.subplots()
    for (way, runs), style in zip(curves.items(), ("-", "--", "-.", ":", "-"), strict=True):
        steps = [step for step in runs[0] if step]
        table = np.array([[curve[step] for step in steps] for curve in runs])
        axes.plot(steps, table.mean(axis=0), style, label=way, linewidth=1.4)
        axes.fill_between(steps, table.min(axis=0), table.max(axis=0), alpha=0.12)
    axes.set(xscale="log", xlabel="step", ylabel="validation loss, nats a token")
    axes.legend(frameon=False, title=f"mean and range, {len(runs)} seeds")
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2000, help="length of each run")
    parser.add_argument("--seeds", type=int, default=4, help="runs of each way, at least 2")
    parser.add_argument("--out", type=Path, default=Path("runs/loss-curves"), help="their folder")
    parser.add_argument("--figure", type=Path, help="also draw the curves, to this PNG")
    options = parser.parse_args(arguments)
    if options.seeds < 2:
        parser.error("--seeds: at least 2, since seeds are the yardstick")
    curves = {
        way: [losses(way, seed, options.steps, options.out) for seed in range(options.seeds)]
        for way in WAYS
    }
    named = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers"))
    print(
        f"machine   {machine('cpu', 1)['processor']}; Python {platform.python_version()}, {named}"
    )
    doubling = [step for step in (250, 500, 1000, 2000, 4000, 8000) if step <= options.steps]
    report(curves, doubling or [options.steps])
    if options.figure:
        draw(curves, options.figure)
        print(f"drawn: {options.figure}")


if __name__ == "__main__":
    main()

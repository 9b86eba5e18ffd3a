"""What fraction of the demo's time its default probes take, with shared passes and without.

    python benchmarks/probe_share.py [--steps 910] [--turns 2]

Trains the demo's recipe for a while, in turns with probes that share their passes and with each
alone, and reads off the runs' own tables how long the probes took (`eval_probes_runtime`) and how
long all of it did (`train_runtime`). The share is that of a whole demo: 33 rounds in 6,000 steps.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from statistics import median

from hf_grok.commands.demo import CONFIG, RECIPE, SEED
from hf_grok.evaluation import runner as probing
from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.train import run

ROUNDS, STEPS = 33, 6_000
SHARING = probing.may_share


def share_of(steps: int, *, shared: bool) -> tuple[float, float]:
    """Seconds that one round of probes takes, and the fraction of a demo that its rounds take."""
    probing.may_share = SHARING if shared else lambda probes: [[probe] for probe in probes]
    with tempfile.TemporaryDirectory() as folder:
        words = ["--max_steps", str(steps), "--evaluations", f"every:{STEPS // ROUNDS}"]
        words += ["--checkpoints", "0", "--seed", str(SEED), "--language_config", CONFIG]
        words += ["--output_dir", str(Path(folder) / "run"), "--disable_tqdm", "true"]
        table = run(parse(load_recipe(RECIPE), words)) / "metrics.jsonl"
        rows = [json.loads(line) for line in table.read_text().splitlines()]
    rounds = [row["eval_probes_runtime"] for row in rows if "eval_probes_runtime" in row]
    total = next(row["train_runtime"] for row in rows if "train_runtime" in row)
    probes = ROUNDS * sum(rounds) / len(rounds)
    return median(rounds), probes / (probes + (total - sum(rounds)) / steps * STEPS)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=910)
    parser.add_argument("--turns", type=int, default=2)
    options = parser.parse_args()
    found: dict[str, list[tuple[float, float]]] = {"alone": [], "shared": []}
    for _ in range(options.turns):
        for name, turns in found.items():
            turns.append(share_of(options.steps, shared=name == "shared"))
            seconds, share = turns[-1]
            print(f"{name:<8}{seconds:.3f} s a round, {share:.1%} of a demo", flush=True)
    (alone, before), (shared, after) = (
        [median(column) for column in zip(*turns, strict=True)] for turns in found.values()
    )
    print(f"a round: {alone:.3f} s alone, {shared:.3f} s shared, ratio {shared / alone:.2f}")
    print(f"fraction of the demo: {before:.1%} alone, {after:.1%} shared")


if __name__ == "__main__":
    main()

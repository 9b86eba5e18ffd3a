"""What a long series costs: a step to set aside, and a probe of a series that has all its numbers.

    python benchmarks/series_costs.py --steps 50 500 2000 10000

Prints the milliseconds that training waits for a step when so many are in the journal already
(constant, if all is well), and the seconds that `hf-grok probe` needs to find that nothing is to be
done and to make its table (linear in the series: so many microseconds a revision).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from safetensors.numpy import save_file

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hf_grok.commands.probe.tables import summary
from hf_grok.evaluation import Checkpoint, ProbeResults, probe_series
from hf_grok.probes import probe_class
from hf_grok.runs.manifest import FileFacts
from hf_grok.series import RevisionTemplate, RunSeries, StepValues
from hf_grok.series.local.journal import State, StepRecord

METRICS = {f"eval_metric_{number}": 0.5 for number in range(8)}


def setting_aside(folder: Path, steps: int, repeats: int) -> float:
    """Milliseconds for one step more, with `steps` of them in the journal."""
    series = RunSeries(folder / "run", RevisionTemplate())
    series.folder.mkdir(parents=True)
    rows = [
        StepRecord(
            step,
            f"step{step}",
            State.PUSHED,
            {
                "model.safetensors": FileFacts(2048, f"{step:064x}"),
                "config.json": FileFacts(2, "0"),
            },
            metrics=METRICS,
        )
        for step in range(steps)
    ]
    lines = [json.dumps(row.to_json()) + "\n" for row in rows]
    series.journal.path.write_text("".join(lines), encoding="utf-8")
    series.journal.records()  # once, when training begins
    spent = []
    for step in range(steps, steps + repeats):
        checkpoint = series.run / f"checkpoint-{step}"
        checkpoint.mkdir()
        save_file({"x": np.full(512, step, np.float32)}, checkpoint / "model.safetensors")
        (checkpoint / "config.json").write_text('{"model_type": "gpt2"}', encoding="utf-8")
        began = time.perf_counter()
        series.add(step, checkpoint, StepValues(metrics=METRICS))
        spent.append(time.perf_counter() - began)
    return 1000 * median(spent)


def nothing_to_do(folder: Path, revisions: int, repeats: int) -> tuple[float, float]:
    """Seconds to find that all numbers are there, and to make the table of them."""
    kind = probe_class("norm")
    places = [
        Checkpoint("x/y", f"step{n}", n, f"commit {n}", f"commit {n}") for n in range(revisions)
    ]
    metrics = list(kind.metrics)[:10] or ["norm"]
    rows = [
        {
            **{"revision": place.revision, "step": place.step, "identity": place.identity},
            **{"probe": "norm", "version": kind.version, "metric": metric, "value": 1.0},
        }
        for place in places
        for metric in metrics
    ]
    about = {"norm": {"data": None, "fingerprint": None, "options": {}}}
    content = {"format": 1, "model": "x/y", "probes": about, "rows": rows}
    path = folder / "probe_results.json"
    path.write_text(json.dumps({**content, "failures": [], "pictures": []}), encoding="utf-8")
    searching, telling = [], []
    for _ in range(repeats):
        began = time.perf_counter()
        results = ProbeResults(path, "x/y", about)
        probe_series(places, ["norm"], {"norm": None}, results, {"norm": {}})
        searching.append(time.perf_counter() - began)
        began = time.perf_counter()
        summary(results, ["norm"])
        telling.append(time.perf_counter() - began)
    return median(searching), median(telling)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--steps", type=int, nargs="+", default=[50, 500, 2000, 10_000])
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    print(f"{'steps':>8}{'set aside':>14}{'nothing to do':>16}{'a revision':>14}{'table':>10}")
    for steps in options.steps:
        with tempfile.TemporaryDirectory() as name:
            aside = setting_aside(Path(name), steps, options.repeats)
            search, table = nothing_to_do(Path(name), steps, min(3, options.repeats))
        each = 1e6 * search / steps
        print(f"{steps:>8,}{aside:>11.1f} ms{search:>14.3f} s{each:>11.1f} us{table:>8.3f} s")


if __name__ == "__main__":
    main()

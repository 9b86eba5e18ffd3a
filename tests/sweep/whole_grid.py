"""`python -m tests.sweep.whole_grid FOLDER ENGINE...`: one real sweep on several engines.

A grid of 2 x 3 settings at 2 seeds, each time stopped in the middle and started again: every engine
must end with the same results.parquet. Slurm's jobs are not stopped by Ctrl-C: two of them are
warned as a time-out warns them, and put into the queue again.

Outside the suite: `make test-engines`, `make test-slurm`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas
import yaml

from hf_grok.runs.results import load_results
from tests.recipes.tiny import RECIPE, RUN_TIMES

WORDS = {"slurm": ["--engine", "slurm", "--slurm", "time=30"], "ray": ["--engine", "ray"]}
TIMES = {*RUN_TIMES, "eval_runtime"}


def sweep_file(folder: Path) -> Path:
    """2 x 3 settings, 2 seeds, of runs that outlast by seconds what it takes to end them."""
    (folder / "tiny.yaml").write_text(RECIPE)
    content = {
        "recipe": "tiny.yaml",
        "common": {"probes": "none", "max_steps": 1200, "checkpoints": "every:40"},
        "seeds": "0-1",
        "grid": {"learning_rate": [1.0e-3, 2.0e-3], "warmup_steps": [5, 10, 20]},
    }
    path = folder / "grid.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def started(file: Path, out: Path, engine: str) -> subprocess.Popen[bytes]:
    words = [str(file), "--out", str(out), *WORDS.get(engine, [])]
    return subprocess.Popen([sys.executable, "-m", "hf_grok.cli", "sweep", *words])


def disturb(out: Path, engine: str, sweep: subprocess.Popen[bytes]) -> None:
    """In the middle: some run has a checkpoint, none of the last ones has begun."""
    while not list(out.glob("*-seed*/checkpoint-80")):
        assert sweep.poll() is None, "the sweep ended before it could be disturbed"
        time.sleep(0.05)
    if engine == "slurm":
        listed = ["squeue", "--noheader", "--array", "--states=RUNNING", "--format=%i"]
        running = subprocess.run(listed, capture_output=True, text=True, check=True).stdout.split()
        # It may say that a job cannot be altered: that one is on its way into the queue already.
        subprocess.run(["scancel", "--signal=USR2", *running], check=False)
    sweep.send_signal(signal.SIGINT)
    assert sweep.wait(60) == 130


def table_of(out: Path) -> pandas.DataFrame:
    table = load_results(out)
    table = table[~table["metric"].isin(TIMES)].drop(columns="sweep")
    return table.sort_values(["run", "step", "metric"], ignore_index=True)


def main(folder: Path, engines: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    file = sweep_file(folder)
    tables = {}
    for engine in engines:
        began = time.monotonic()
        out = folder / engine
        disturb(out, engine, started(file, out, engine))
        assert started(file, out, engine).wait() == 0
        tables[engine] = table_of(out)
        resumed = sum("resuming from" in log.read_text() for log in out.glob("logs/*seed*.log"))
        assert tables[engine]["run"].nunique() == 12
        assert resumed, "no run was interrupted"
        print(
            f"{engine}: {len(tables[engine])} rows of 12 runs, {resumed} of them resumed, "
            f"{time.monotonic() - began:.0f} s"
        )
        pandas.testing.assert_frame_equal(tables[engines[0]], tables[engine])
    print(f"one table on {', '.join(engines)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

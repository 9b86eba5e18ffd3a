"""Are the numbers still the numbers? Record what a change must keep, then compare.

    python benchmarks/kept_numbers.py record before     # on the code as it was
    python benchmarks/kept_numbers.py record after      # on the code as it is, on the same machine
    python benchmarks/kept_numbers.py compare before after

Recorded: every row of metrics.jsonl but its times, the weights' digest and the default probes of
600 steps of each quick recipe and of one with the regulariser in phases; every probe offline on
the last checkpoint of two runs; the digests of every file of a series pushed to the tests' server.
`hf-grok` is the one beside this interpreter. Comparing prints what differs, and what only one of
the two has; the exit status is 0 if nothing differs. Folders can be recorded in pieces: what is
there is kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
RUNS = {
    "question-formation": ["question-formation"],
    "tense-inflection": ["tense-inflection"],
    "dyck": ["dyck"],
    "sas-mlm": ["sas-mlm"],
    "sas-mlm-phases": ["sas-mlm", "--sas_schedule", "0:0.1,300:0"],
}
LENGTH = ["--max_steps", "600", "--checkpoints", "600", "--evaluations", "log:300"]
OFFLINE = {
    "question-formation": (
        "uas,tree,sparsity,norm,intrinsic_dimension,class_loss,fisher",
        ["--data", "question-formation", "--where", "task=quest"],
    ),
    "sas-mlm": (
        "uas,sparsity,norm,intrinsic_dimension,class_loss,fisher,pairs",
        ["--data", "agreement", "--data", "pairs=minimal-pairs"],
    ),
}
TIMES = ("seconds", "runtime", "per_second", "time")


def train(folder: Path) -> None:
    """The runs that are not there yet."""
    for name, words in RUNS.items():
        run = folder / name
        if not (run / "model.safetensors").is_file():
            _hf_grok("train", *words, *LENGTH, "--threads", "1", "--output_dir", str(run))


def probe(folder: Path) -> None:
    """Every probe of a run's last checkpoint."""
    for name, (probes, data) in OFFLINE.items():
        words = ["--probes", probes, "--sample", "60", "--steps", "last", *data]
        _hf_grok("probe", str(folder / name), *words)


def push(folder: Path) -> None:
    """A run as a series on the tests' server, its files' digests written down."""
    root = Path(__file__).resolve().parent.parent
    sys.path.insert(0, str(root))
    from hf_grok.cli import main
    from tests.hub_server import HubServer

    target = folder / "series.json"
    if target.is_file():
        return
    with HubServer(folder / "hub_server") as server, server.patched():
        if main(["push", str(folder / "dyck"), "grower/series"]):
            raise SystemExit("the push failed")
        repository = server.repository("grower/series")
        names = sorted({"main", *(f"step{step}" for step in (0, 600))})
        kept = {
            name: {
                file: _digest(data) for file, data in server.files(repository.name, name).items()
            }
            for name in names
        }
    target.write_text(json.dumps(kept, indent=1))


def numbers(folder: Path) -> Iterator[tuple[str, Any]]:
    """(Where, value) of everything recorded in a folder."""
    for name in RUNS:
        run = folder / name
        yield f"{name} weights", _digest((run / "model.safetensors").read_bytes())
        for file in ("metrics.jsonl", "probes.jsonl"):
            if not (run / file).is_file():
                continue
            for line in (run / file).read_text().splitlines():
                yield from _row(f"{name} {file}", json.loads(line))
    for name in OFFLINE:
        for row in json.loads((folder / name / "probe_results.json").read_text())["rows"]:
            where = f"{name} offline {row['revision']} {row['probe']} {row.get('metric', '')}"
            yield f"{where} value", row.get("value")
            yield f"{where} version", row.get("version")
    for revision, files in json.loads((folder / "series.json").read_text()).items():
        for file, digest in files.items():
            yield f"series {revision} {file}", digest


def compare(before: Path, after: Path) -> int:
    """Print what differs; 0 if nothing does."""
    old, new = dict(numbers(before)), dict(numbers(after))
    different = [key for key in old if key in new and old[key] != new[key]]
    for key in different:
        print(f"differs: {key}: {old[key]!r} -> {new[key]!r}")
    for key in sorted(old.keys() - new.keys()):
        print(f"only before: {key} = {old[key]!r}")
    for key in sorted(new.keys() - old.keys()):
        print(f"only after: {key} = {new[key]!r}")
    both = len(old.keys() & new.keys())
    print(f"{both - len(different)} of {both} numbers equal, {len(different)} different")
    return 1 if different or old.keys() != new.keys() else 0


def _row(where: str, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        if not any(word in key for word in TIMES):
            yield f"{where} step {row.get('step')} {row.get('probe', '')} {key}", value


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _hf_grok(*words: str) -> None:
    print("hf-grok", *words, flush=True)
    subprocess.run([str(Path(sys.executable).with_name("hf-grok")), *words], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("action", choices=["record", "compare"])
    parser.add_argument("folders", type=Path, nargs="+")
    options = parser.parse_args()
    if options.action == "compare":
        return compare(*options.folders)
    for folder in options.folders:
        folder.mkdir(parents=True, exist_ok=True)
        train(folder)
        probe(folder)
        push(folder)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

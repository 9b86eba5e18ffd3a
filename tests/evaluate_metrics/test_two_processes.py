"""Every metric over two processes, as `evaluate` shares them: the numbers of one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.evaluate_metrics.material import PAIRS, load
from tests.processes import run_together

# Each process adds every second answer; the first gathers them.
PROGRAM = """
import json, sys
from pathlib import Path
import evaluate
from accelerate import PartialState
from hf_grok.evaluate_metrics import path
from tests.evaluate_metrics.material import PAIRS

folder, state = Path(sys.argv[1]), PartialState(cpu=True)
rank = state.process_index
said = {}
for name, (answers, golds) in PAIRS.items():
    shared = {"cache_dir": str(folder), "experiment_id": name}
    metric = evaluate.load(path(name), num_process=2, process_id=rank, **shared)
    metric.add_batch(predictions=answers[rank::2], references=golds[rank::2])
    said[name] = metric.compute()
    state.wait_for_everyone()
(folder / f"rank{rank}.json").write_text(json.dumps(said))
state.destroy_process_group()
"""


def test_two_processes_give_the_numbers_of_one(tmp_path: Path) -> None:
    run_together(2, ["-c", PROGRAM, str(tmp_path)])
    first, second = (json.loads((tmp_path / f"rank{rank}.json").read_text()) for rank in (0, 1))
    for name, (answers, golds) in PAIRS.items():
        alone = load(name).compute(predictions=answers, references=golds)
        assert first[name] == pytest.approx(alone), name
        assert second[name] is None, "the first process has them"

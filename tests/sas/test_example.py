"""The example runs under torchrun with two processes, and leaves a model that loads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from transformers import AutoModelForMaskedLM

from tests.processes import Apart

ROOT = Path(__file__).resolve().parents[2]
SIZES = ["--layers", "2", "--hidden_size", "16", "--heads", "2", "--held_out", "20"]
STEPS = ["--max_steps", "6", "--eval_steps", "3", "--logging_steps", "3", "--warmup_steps", "2"]
STEPS += ["--per_device_train_batch_size", "4", "--save_strategy", "no"]


def parsed_file(folder: Path) -> Path:
    """Sentences as `hf-grok data parse` writes them."""
    sentence = {"words": ["the", "cat", "sleeps", "."], "heads": [2, 3, 0, 3]}
    row = {**sentence, "deprels": ["det", "nsubj", "root", "punct"]}
    path = folder / "parsed.jsonl"
    path.write_text("\n".join([json.dumps(row)] * 80))
    (folder / "parsed.jsonl.annotation.json").write_text('{"annotation_scheme": "clearnlp"}')
    return path


@pytest.mark.parametrize(
    "launcher",
    [
        [
            *("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"),
            *("--run-path", "--start-method", "fork"),  # workers are forks of the launcher
        ],
        [
            *("-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"),
            *("--main_process_port", "0"),  # a free one
        ],
    ],
    ids=["torchrun", "accelerate"],
)
def test_the_example_runs_in_two_processes(launcher: list[str], tmp_path: Path) -> None:
    words = [*launcher, str(ROOT / "examples" / "run_sas_mlm.py"), "--use_cpu", "true"]
    words += ["--output_dir", str(tmp_path / "run"), "--train_file", str(parsed_file(tmp_path))]
    words += ["--sas_schedule", "0:0.1,3:-0.1", "--sas_arcs", "contrast", *SIZES, *STEPS]
    done = Apart(words, {"OMP_NUM_THREADS": "1"}).finished()
    assert done.returncode == 0, done.stderr
    assert "60 sentences" in done.stdout
    history = json.loads((tmp_path / "run" / "trainer_state.json").read_text())["log_history"]
    assert [row["sas_lambda"] for row in history if "sas_lambda" in row] == [0.1, -0.1]
    assert any("eval_uas_single_head" in row for row in history)
    AutoModelForMaskedLM.from_pretrained(tmp_path / "run")

"""A launcher that starts fewer processes than it was asked for is found out."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hf_grok.recipes.launched import processes_asked
from tests.recipes.tiny import recipe_file

SCRIPT = ["-m", "hf_grok.train", "dyck", "--num_processes", "9"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["python", "/usr/bin/accelerate", "launch", "--num_processes", "2", *SCRIPT], 2),
        (["python", "accelerate", "launch", "--num-processes=3", "--cpu", *SCRIPT], 3),
        (["python", "-m", "accelerate.commands.launch", "--num_processes=4", *SCRIPT], 4),
        (["/bin/accelerate-launch", "--mixed_precision", "no", "--num_processes", "5", "x.py"], 5),
        (["bash", "-c", "accelerate launch --num_processes 2 x.py"], 1),
        (["python", "accelerate", "config"], 1),
        (["torchrun", "--nproc_per_node", "2", *SCRIPT], 1),
    ],
)
def test_what_the_launcher_was_asked_for(command: list[str], expected: int) -> None:
    assert processes_asked(command) == expected


def test_a_configuration_file_asks_too(tmp_path: Path) -> None:
    file = tmp_path / "two.yaml"
    file.write_text(
        "compute_environment: LOCAL_MACHINE\ndistributed_type: MULTI_CPU\nnum_processes: 2\n"
    )
    assert processes_asked(["accelerate", "launch", "--config_file", str(file), *SCRIPT]) == 2


@pytest.mark.slow
def test_one_process_of_two_does_not_train(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "accelerate.commands.launch", "--num_processes", "2"]
    command += ["-m", "hf_grok.train", recipe_file(tmp_path), "--use_cpu", "true"]
    alone = {name: value for name, value in os.environ.items() if name != "WORLD_SIZE"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
    assert done.returncode != 0
    assert "was asked for 2 processes and started one" in done.stderr
    assert "torchrun --nproc_per_node 2" in done.stderr

"""Every probe over two processes: the numbers of one, and the same on both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_grok.evaluation.runner import run_probes
from tests.probes.test_contract import NAMES, probe_of, watched_model
from tests.processes import run_together

PROGRAM = """
import json, sys
from pathlib import Path
from accelerate import Accelerator
from hf_grok.evaluation.runner import run_probes
from tests.probes.test_contract import NAMES, probe_of, watched_model

accelerator = Accelerator(cpu=True)
rounds = {name: run_probes(watched_model(name), [probe_of(name)], accelerator) for name in NAMES}
said = {name: [probed.numbers, probed.pictures, probed.failures] for name, probed in rounds.items()}
Path(sys.argv[1], f"rank{accelerator.process_index}.json").write_text(json.dumps(said))
accelerator.wait_for_everyone()
accelerator.end_training()
"""


@pytest.fixture(scope="module")
def ranks(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, list[dict[str, float]]]]:
    """What each of the two processes was given, of every probe."""
    folder: Path = tmp_path_factory.mktemp("ranks")
    run_together(2, ["-c", PROGRAM, str(folder)])
    return [json.loads((folder / f"rank{rank}.json").read_text()) for rank in (0, 1)]


@pytest.mark.parametrize("name", NAMES)
def test_two_processes_give_the_numbers_of_one(
    name: str, ranks: list[dict[str, list[dict[str, float]]]]
) -> None:
    first, second = (rank[name] for rank in ranks)
    numbers, _, failures = first
    assert first == second
    assert not failures
    assert numbers == pytest.approx(
        run_probes(watched_model(name), [probe_of(name)]).numbers, rel=1e-4, abs=1e-6
    )

"""Results of a sweep on a Hub: what a stranger loads and reads there, and what is never touched."""

from __future__ import annotations

import json
from pathlib import Path

import datasets
import pandas
import pytest
import yaml
from huggingface_hub import CommitOperationAdd, HfApi

from hf_grok.cli import main
from hf_grok.errors import UserError
from hf_grok.model_cards.preserved import BEGINS, ENDS
from hf_grok.runs.results import add_to_results, load_results
from hf_grok.sweep.arms import Arm
from hf_grok.sweep.folder import write_description
from hf_grok.sweep.plan import Plan
from hf_grok.sweep.results.published import push_results
from tests.hub_server import HubServer
from tests.hub_server.fixtures import hub_server, hub_waits
from tests.sweep.stand_in_training import train

__all__ = ["hub_server", "hub_waits"]

REPO = "grower/arms"


def sweep_folder(folder: Path) -> Path:
    """Two arms of a grid, one branching off the other, three finished runs."""
    out = folder / "mine"
    arms = {
        "low": Arm("low", {"layers": 2}, cell={"layers": 2}),
        "late": Arm("late", {"layers": 2, "sas_schedule": "0:0.3"}, "low", 3, cell={"layers": 2}),
    }
    write_description(Plan("mine", "x/tiny.yaml", None, (0, 1), arms), out)
    for arm, seed in (("low", 0), ("low", 1), ("late", 1)):
        run = out / f"{arm}-seed{seed}"
        train([str(run), str(seed), "1.5", "4", "0", "lives"])
        add_to_results(out, run, arm, arms[arm].cell)
    return out


def readme(server: HubServer) -> str:
    return server.files(REPO, "main", kind="datasets")["README.md"].decode()


def test_a_stranger_loads_the_table_and_reads_what_it_is(
    tmp_path: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    out = sweep_folder(tmp_path)
    assert main(["sweep", str(out), "--push", "arms"]) == 0
    assert "private: only you see it" in capsys.readouterr().out
    files = hub_server.files(REPO, "main", kind="datasets")
    assert files["results.parquet"] == (out / "results.parquet").read_bytes()
    assert json.loads(files["sweep.json"]) == json.loads((out / "sweep.json").read_text())
    page = files["README.md"].decode()
    front = yaml.safe_load(page.split("---\n", 2)[1])
    assert front["configs"] == [{"config_name": "default", "data_files": "results.parquet"}]
    for part in (
        *("3 finished training runs of the recipe tiny.yaml", "12 in all", "at seeds 0, 1"),
        *("| `low` | `layers: 2` | - | 0, 1 |", "| low at step 3 | 1 |"),
        *("the arm's layers, of the sweep's grid", "| `eval_loss` |", f'load_dataset("{REPO}"'),
    ):
        assert part in page
    given = load_results(out)
    for way in page.split("```python\n")[1:]:
        code, place = way.partition("```")[0], {"datasets": datasets}
        exec(code, place)
        loaded = place["table"]
        assert isinstance(loaded, pandas.DataFrame)
        pandas.testing.assert_frame_equal(loaded, given, check_dtype=False)


def test_a_second_push_keeps_what_a_person_wrote(tmp_path: Path, hub_server: HubServer) -> None:
    out = sweep_folder(tmp_path)
    first = push_results(out, REPO)
    mine = readme(hub_server).replace(f"{BEGINS}\n", f"{BEGINS}\nSeed 1 ran twice.\n")
    HfApi().create_commit(
        REPO,
        [CommitOperationAdd("README.md", mine.encode())],
        commit_message="mine",
        repo_type="dataset",
    )
    run = out / "late-seed0"
    train([str(run), "0", "1.5", "4", "0", "lives"])
    add_to_results(out, run, "late", {"layers": 2})
    second = push_results(out, REPO)
    assert first.commit != second.commit
    assert "Seed 1 ran twice." in readme(hub_server).partition(ENDS)[0]
    assert "4 finished training runs" in readme(hub_server)


def test_what_must_not_be_pushed_is_refused(tmp_path: Path, hub_server: HubServer) -> None:
    out = sweep_folder(tmp_path)
    with pytest.raises(UserError, match="was asked to be public"):
        push_results(out, push_results(out, REPO).repo_id, private=False)
    HfApi().create_repo("other", repo_type="dataset")
    HfApi().create_commit(
        "grower/other",
        [CommitOperationAdd("data/train.parquet", b"theirs")],
        commit_message="x",
        repo_type="dataset",
    )
    with pytest.raises(UserError, match="no results of a sweep"):
        push_results(out, "grower/other")
    with pytest.raises(UserError, match="expected a repository"):
        push_results(out, "a/b/c")
    text = (out / "sweep.json").read_text()
    (out / "sweep.json").write_text(text.replace("0:0.3", "hf_" + "a1B2" * 8))
    with pytest.raises(UserError, match="a Hugging Face token"):
        push_results(out, REPO)
    (out / "results.parquet").unlink()
    with pytest.raises(UserError, match="hf-grok sweep writes it as runs finish"):
        push_results(out, REPO)
    assert main(["sweep", str(out), "--public"]) == 2


def test_a_hub_that_cannot_be_asked_is_one_message(tmp_path: Path, hub_server: HubServer) -> None:
    out = sweep_folder(tmp_path)
    hub_server.stop()
    with pytest.raises(UserError, match="could not be pushed to"):
        push_results(out, REPO)

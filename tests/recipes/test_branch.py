"""A branch is the uninterrupted run, but for what it may change; everything else is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from hf_grok import train
from hf_grok.errors import UserError
from hf_grok.recipes.branch import Branch, find_checkpoint
from hf_grok.recipes.shared import is_free
from hf_grok.runs.manifest import file_facts
from tests.recipes.stopping import StoppedError, stop_at
from tests.recipes.test_resume import same_end
from tests.recipes.tiny import log_of, tiny_settings
from tests.recipes.tiny_masked import masked_recipe_file, train_masked

FIRST = ["--probes", "uas", "--dropout_masks", "drawn"]


def train_causal(folder: Path, *words: str, **more: Any) -> Path:
    folder.mkdir(exist_ok=True)
    return train.run(tiny_settings(folder, *FIRST, *words), **more)


def train_branch(folder: Path, *words: str, **more: Any) -> Path:
    return train_masked(folder, *FIRST, *words, **more)


@pytest.fixture(scope="module")
def masked_parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_masked(tmp_path_factory.mktemp("masked"), *FIRST)


@pytest.fixture(scope="module")
def causal_parent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train_causal(tmp_path_factory.mktemp("causal"))


def info_of(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())


def test_an_unchanged_branch_is_the_uninterrupted_run(masked_parent: Path, tmp_path: Path) -> None:
    run = train_branch(tmp_path, branch=Branch(masked_parent / "checkpoint-20"))
    same_end(run, masked_parent)
    assert (run / "probes.jsonl").read_text() == (masked_parent / "probes.jsonl").read_text()
    saved = sorted(int(path.name.split("-")[1]) for path in run.glob("checkpoint-*"))
    assert saved == [30, 40]


def test_so_is_one_of_a_causal_model(causal_parent: Path, tmp_path: Path) -> None:
    same_end(train_causal(tmp_path, branch=Branch(causal_parent / "checkpoint-20")), causal_parent)


def test_its_record_names_the_parent(masked_parent: Path, tmp_path: Path) -> None:
    checkpoint = masked_parent / "checkpoint-30"
    words = ["--evaluations", "every:5", "--checkpoints", "40"]
    run = train_branch(tmp_path, *words, branch=Branch(checkpoint))
    assert info_of(run)["parent"] == {
        "checkpoint": str(checkpoint),
        "step": 30,
        "weights_sha256": {
            "model.safetensors": file_facts(checkpoint / "model.safetensors").sha256
        },
        "reset_optimizer": False,
        "different": {
            "checkpoints": {"parent": "every:10", "branch": "40"},
            "evaluations": {"parent": "log:10", "branch": "every:5"},
        },
    }
    shared = [row for row in log_of(masked_parent) if row["step"] <= 30]
    assert log_of(run)[: len(shared)] == shared
    later = [row["step"] for row in log_of(run) if row["step"] > 30 and "eval_loss" in row]
    assert later == [35, 40]


@pytest.mark.parametrize(("step", "from_step"), [(26, None), (35, 30)])
def test_a_branch_that_was_stopped_is_resumed(
    masked_parent: Path,
    tmp_path: Path,
    step: int,
    from_step: int | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before its own first checkpoint it begins again where it branched off."""
    with monkeypatch.context() as patch:
        stop_at(step, patch)
        with pytest.raises(StoppedError):
            train_branch(tmp_path, branch=Branch(masked_parent / "checkpoint-20"))
    run = train_branch(tmp_path, resume=True)
    said = capsys.readouterr().err
    assert (f"resuming from {run / f'checkpoint-{from_step}'}" in said) == (from_step is not None)
    assert ("starting from where it branched off" in said) == (from_step is None)
    same_end(run, masked_parent)


def test_a_branch_of_a_branch(masked_parent: Path, tmp_path: Path) -> None:
    first = train_branch(tmp_path / "first", branch=Branch(masked_parent / "checkpoint-10"))
    same_end(
        train_branch(tmp_path / "second", branch=Branch(first / "checkpoint-20")), masked_parent
    )


def moments(checkpoint: Path) -> list[dict]:
    state = torch.load(checkpoint / "optimizer.pt", weights_only=True)["state"]
    return [state[number] for number in sorted(state)]


def test_a_reset_optimiser_starts_afresh_with_the_same_learning_rate(
    masked_parent: Path, tmp_path: Path
) -> None:
    branch = Branch(masked_parent / "checkpoint-20", reset_optimizer=True)
    run = train_branch(tmp_path, branch=branch)
    assert {float(own["step"]) for own in moments(run / "checkpoint-30")} == {10.0}
    assert {float(own["step"]) for own in moments(masked_parent / "checkpoint-30")} == {30.0}
    rates = [
        [row["learning_rate"] for row in log_of(one) if "loss" in row]
        for one in (run, masked_parent)
    ]
    assert rates[0] == rates[1]
    weights, others = (load_file(one / "model.safetensors") for one in (run, masked_parent))
    assert any(not torch.equal(weights[name], others[name]) for name in weights)


def test_a_reset_branch_is_not_reset_again_when_resumed(
    masked_parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    branch = Branch(masked_parent / "checkpoint-20", reset_optimizer=True)
    straight = train_branch(tmp_path / "straight", branch=branch)
    with monkeypatch.context() as patch:
        stop_at(35, patch)
        with pytest.raises(StoppedError):
            train_branch(tmp_path / "stopped", branch=branch)
    same_end(train_branch(tmp_path / "stopped", branch=branch, resume=True), straight)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "8"], "seed was 7 and is 8"),
        (["--layers", "1"], "layers was 2 and is 1"),
        (["--per_device_train_batch_size", "2"], "per_device_train_batch_size was 4 and is 2"),
        (["--bucketed_batches", "false"], "bucketed_batches was None and is False"),
        (["--weight_decay", "0.1", "--mask_share", "0.2"], "mask_share was None and is 0.2; wei"),
        (["--language_options", '{"train_size": 60}'], "language_options was {'train_size': 64"),
        (["--max_steps", "20"], "max_steps=20 and a branch from step 20: nothing is left"),
    ],
)
def test_another_run_is_no_branch(
    masked_parent: Path, tmp_path: Path, words: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        train_branch(tmp_path, *words, branch=Branch(masked_parent / "checkpoint-20"))
    assert not (tmp_path / "run").exists()


def test_what_a_branch_may_change() -> None:
    free = [
        "sas_schedule",
        "max_steps",
        "evaluations",
        "checkpoints",
        "output_dir",
        "logging_steps",
    ]
    bound = ["seed", "data_seed", "learning_rate", "layers", "language", "precision", "attention"]
    assert all(map(is_free, free))
    assert not any(map(is_free, bound))


def test_damage_and_the_parents_own_folder_are_refused(masked_parent: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    run = train_branch(copy)
    weights = run / "checkpoint-20" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"checkpoint-20 is not whole: model.safetensors has"):
        train_branch(tmp_path / "other", branch=Branch(run / "checkpoint-20"))
    (run / "run.json").unlink()
    with pytest.raises(UserError, match=r"has no run.json: expected the folder of a run"):
        train_branch(tmp_path / "other", branch=Branch(run / "checkpoint-10"))
    for name in ("metrics.jsonl", "run.json"):
        (run / name).unlink(missing_ok=True)
    with pytest.raises(UserError, match="cannot be written into its own folder"):
        train_branch(copy, branch=Branch(run / "checkpoint-10"), resume=True)


def test_resuming_as_another_branch_is_refused(masked_parent: Path, tmp_path: Path) -> None:
    run = train_branch(
        tmp_path, "--max_steps", "32", branch=Branch(masked_parent / "checkpoint-30")
    )
    assert info_of(run)["parent"]["step"] == 30
    with pytest.raises(UserError, match=r"is a branch from .*checkpoint-30, and was to be resumed"):
        train_branch(tmp_path, branch=Branch(masked_parent / "checkpoint-20"), resume=True)
    with pytest.raises(UserError, match=r"is no branch of another run, and was to be resumed as"):
        train_branch(masked_parent.parent, branch=Branch(run / "checkpoint-32"), resume=True)


def test_finding_a_checkpoint(masked_parent: Path) -> None:
    assert find_checkpoint("20", masked_parent) == masked_parent / "checkpoint-20"
    assert (
        find_checkpoint(str(masked_parent / "checkpoint-20"), Path("elsewhere")).name
        == "checkpoint-20"
    )
    with pytest.raises(UserError, match=r"no checkpoint of this step \(it has 0, 10, 20, 30, 40\)"):
        find_checkpoint("21", masked_parent)
    with pytest.raises(UserError, match=r"expected a step, or an existing folder"):
        find_checkpoint(str(masked_parent), masked_parent)


def test_the_command_line(
    masked_parent: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe's default run is the parent, and the branch's folder says where it begins."""
    recipe = masked_recipe_file(tmp_path)
    monkeypatch.chdir(tmp_path)
    train.main([recipe, *FIRST])
    default = next((tmp_path / "runs").iterdir())
    train.main([recipe, *FIRST, "--from-checkpoint", "30"])
    same_end(default.with_name(f"{default.name}-from30"), default)
    reset = ["--from-checkpoint", "30", "--parent", str(masked_parent), "--reset-optimizer"]
    train.main([recipe, *FIRST, *reset])
    assert info_of(default.with_name(f"{default.name}-from30-fresh-optimizer"))["parent"]
    with pytest.raises(UserError, match="name its --from-checkpoint too"):
        train.main([recipe, "--parent", str(masked_parent)])
    with pytest.raises(UserError, match="names a folder already"):
        train.main(
            [recipe, "--from-checkpoint", f"{masked_parent}/checkpoint-20", "--parent", "run"]
        )

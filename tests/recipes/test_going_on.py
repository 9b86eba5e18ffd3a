"""What a run was told holds when it is gone on with; another run is refused, not gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hf_grok import train
from hf_grok.errors import UserError
from hf_grok.recipes.recipe import own_words
from hf_grok.recipes.resume import as_recorded
from hf_grok.runs.manifest import discard, told_if_not_written
from tests.recipes.stopping import StoppedError, stop_at
from tests.recipes.test_resume import same_end
from tests.recipes.tiny import recipe_file, train_tiny

TOLD = ["--max-steps", "12", "--learning-rate=2e-3", "--checkpoints", "every:4", "--layers", "1"]
TOLD += ["--probes", "none", "--evaluations", "every:6"]


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> str:
    return recipe_file(tmp_path_factory.mktemp("recipe"))


@pytest.fixture(scope="module")
def finished(recipe: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("finished") / "run"
    train.main([recipe, *TOLD, "--output-dir", str(run)])
    return run


@pytest.fixture
def stopped(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run that died in step 11, after checkpoint-8."""
    with monkeypatch.context() as patch:
        stop_at(10, patch)
        with pytest.raises(StoppedError):
            train.main([recipe, *TOLD, "--output_dir", str(tmp_path / "run")])
    return tmp_path / "run"


def info_of(run: Path) -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())


def change(run: Path, **values: Any) -> None:
    """Have run.json say that the run was begun otherwise."""
    info = info_of(run)
    for name, value in values.items():
        info[name].update(value)
    (run / "run.json").write_text(json.dumps(info))


def test_a_resumed_run_need_not_be_told_again(
    recipe: str, stopped: Path, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train.main([recipe, "--resume", "--output-dir", str(stopped)])
    said = capsys.readouterr().err
    assert f"as {stopped} was told: --max_steps=12 --learning_rate=2e-3" in said
    assert f"resuming from {stopped / 'checkpoint-8'}" in said
    same_end(stopped, finished)
    assert info_of(stopped)["overrides"] == info_of(finished)["overrides"]
    assert info_of(stopped)["resumed"] == []


def test_what_is_said_again_wins_and_is_recorded(recipe: str, stopped: Path) -> None:
    train.main([recipe, "--resume", "--max_steps", "14", "--output_dir", str(stopped)])
    info = info_of(stopped)
    assert (info["steps"], info["overrides"]["max_steps"]) == (14, "14")
    assert info["overrides"]["learning_rate"] == "2e-3"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--learning_rate", "1e-3"], r"as another run: learning_rate was 0.002 and is 0.001"),
        (["--seed", "8", "--layers", "2"], r"layers was 1 and is 2; seed was 7 and is 8"),
        (["--per_device_train_batch_size", "2"], r"per_device_train_batch_size was 4 and is 2"),
        (["--sas_schedule", "0:0.1"], r"sas_schedule was None and is 0:0.1.*changed in a branch"),
        (
            ["--max_steps", "20", "--lr_scheduler_type", "linear"],
            r"was to end at step 12, and would at 20: its learning rate \(linear\) follows",
        ),
        (["--dropout_masks", "drawn"], r"dropout_masks was pooled and is drawn"),
    ],
)
def test_another_run_is_not_gone_on_with(
    recipe: str, finished: Path, words: list[str], message: str
) -> None:
    before = (finished / "run.json").read_bytes(), (finished / "metrics.jsonl").read_bytes()
    with pytest.raises(UserError, match=message):
        train.main([recipe, "--resume", *words, "--output_dir", str(finished)])
    assert ((finished / "run.json").read_bytes(), (finished / "metrics.jsonl").read_bytes()) == (
        before
    )


def test_a_run_of_another_recipe_is_not_gone_on_with(finished: Path) -> None:
    with pytest.raises(UserError, match=r"is a run of tiny \(file\), and was .* of dyck \(quick\)"):
        train.main(["dyck", "--resume", "--output_dir", str(finished)])


def test_another_number_of_processes_is_refused_unless_asked_for(
    recipe: str, stopped: Path, finished: Path
) -> None:
    """run.json is made to say that two processes read two lines each."""
    two = {"per_device_train_batch_size": 2}
    change(stopped, chosen={"processes": 2}, bound_arguments=two, overrides=two)
    again = [recipe, "--resume", "--output_dir", str(stopped)]
    with pytest.raises(UserError, match=r"by 2 processes and would go on with 1: .*--allow-other-"):
        train.main(again)
    with pytest.raises(UserError, match=r"2 processes read 4 lines .* --per_device_.* 4\."):
        train.main([*again, "--allow-other-processes"])
    train.main([*again, "--allow-other-processes", "--per_device_train_batch_size", "4"])
    same_end(stopped, finished)  # one process it was
    difference = {"step": 8, "different": {"processes": {"was": 2, "is": 1}}}
    assert info_of(stopped)["resumed"] == [difference]


def test_a_finished_run_is_left_alone(
    recipe: str, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    train.main([recipe, "--resume", "--output_dir", str(finished)])
    assert "is finished at step 12: nothing is left to do" in capsys.readouterr().err
    after = {path: path.stat().st_mtime_ns for path in finished.rglob("*") if path.is_file()}
    assert {path for path in before if before[path] != after[path]} <= {finished / ".run.lock"}


@pytest.mark.parametrize("lost", ["model.safetensors", "run.json", "checkpoint-12/optimizer.pt"])
def test_a_finished_run_that_lost_a_file_gets_it_back(
    recipe: str, finished: Path, tmp_path: Path, lost: str
) -> None:
    """Within an epoch, where Trainer alone would train a step more."""
    run = tmp_path / "run"
    train.main([recipe, *TOLD, "--output_dir", str(run)])
    (run / lost).unlink()
    train.main([recipe, "--resume", *TOLD, "--output_dir", str(run)])
    same_end(run, finished)
    assert info_of(run)["steps"] == 12
    assert (run / lost).is_file()


def test_a_branch_is_told_what_its_parent_was(recipe: str, finished: Path, tmp_path: Path) -> None:
    branch = [recipe, "--from-checkpoint", str(finished / "checkpoint-8")]
    train.main([*branch, "--output_dir", str(tmp_path / "same")])
    same_end(tmp_path / "same", finished)
    train.main([*branch, "--max_steps", "10", "--output_dir", str(tmp_path / "shorter")])
    info = info_of(tmp_path / "shorter")
    assert (info["steps"], info["overrides"]["max_steps"]) == (10, "10")
    assert info["overrides"]["layers"] == "1"
    assert info["parent"]["different"] == {"max_steps": {"parent": 12, "branch": 10}}


def test_a_branch_from_the_first_weights(recipe: str, finished: Path, tmp_path: Path) -> None:
    branch = [recipe, "--from-checkpoint", str(finished / "checkpoint-0")]
    train.main([*branch, "--output_dir", str(tmp_path / "run")])
    same_end(tmp_path / "run", finished)


def test_a_token_is_not_recorded() -> None:
    words = own_words(["--hub-token", "hf_secret", "--seed", "3", "--output_dir=x", "--bf16"])
    assert as_recorded(words) == {"seed": "3", "bf16": []}


def test_two_processes_do_not_train_one_folder(tmp_path: Path) -> None:
    from hf_grok.recipes.session import LOCK_FILE
    from hf_grok.runs.folder import taken

    (tmp_path / "run").mkdir()
    with (
        taken(tmp_path / "run" / LOCK_FILE, "held"),
        pytest.raises(UserError, match="is being trained by another process"),
    ):
        train_tiny(tmp_path, "--max_steps", "1")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(28, "No space left on device"), True),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 576"), True),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (RuntimeError("Connection closed by peer [10.0.0.1]:29500"), False),
    ],
)
def test_only_what_could_not_be_written_is_told_as_such(
    tmp_path: Path, error: Exception, told: bool
) -> None:
    folder = tmp_path / "checkpoint-3"
    folder.mkdir()
    with (
        pytest.raises(UserError if told else RuntimeError) as caught,
        told_if_not_written(folder, lambda: "Nothing else."),
    ):
        raise error
    assert not folder.exists()
    assert ("Make room" in str(caught.value)) == told
    discard(folder)

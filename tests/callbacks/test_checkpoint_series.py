"""CheckpointSeriesCallback on the plain Trainer, against a Hub that may be slow, full or away."""

from __future__ import annotations

import errno
import json
import shlex
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, Trainer, TrainerCallback
from transformers.utils import hub as transformers_hub
from transformers.utils import logging

from hf_grok.callbacks import CheckpointSeriesCallback, LogSpacedCallback
from hf_grok.cli import main
from hf_grok.errors import UserError
from hf_grok.model_cards.hardware import duration
from hf_grok.models import word_level_tokenizer
from hf_grok.runs.notes import read_about
from hf_grok.series import Journal, State
from hf_grok.series.local import staging
from hf_grok.series.verify.hub import verify_hub
from hf_grok.series.verify.local import verify_folder
from tests.callbacks.material import tiny_trainer
from tests.hub_server import Fault, HubServer
from tests.hub_server.fixtures import hub_server, hub_waits

__all__ = ["hub_server", "hub_waits"]

REPO = "grower/run"


class Remember(TrainerCallback):
    """The weights at every save, taken where nothing else can reach them."""

    def __init__(self) -> None:
        self.weights: dict[int, dict[str, torch.Tensor]] = {}

    def on_train_begin(self, args, state, control, model=None, **kwargs) -> None:
        self._keep(0, model)

    def on_save(self, args, state, control, model=None, **kwargs) -> None:
        self._keep(state.global_step, model)

    def _keep(self, step: int, model: torch.nn.Module) -> None:
        self.weights[step] = {k: v.clone() for k, v in model.state_dict().items()}


def trained(
    folder: Path, callback: CheckpointSeriesCallback | None, resume: bool = False, **changes
) -> tuple[Trainer, dict[int, dict[str, torch.Tensor]]]:
    settings = {"save_strategy": "steps", "save_steps": 2, "max_steps": 6, "eval_strategy": "no"}
    trainer = tiny_trainer(folder, **{**settings, **changes})
    remember = Remember()
    trainer.add_callback(remember)
    if callback is not None:
        trainer.add_callback(callback)
    trainer.train(resume_from_checkpoint=resume)
    return trainer, remember.weights


def states(run: Path) -> dict[int, State]:
    return {step: r.state for step, r in Journal(run / "series").records().items()}


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    for name, value in found.items():
        assert torch.equal(value, expected[name]), name


@pytest.fixture(autouse=True)
def _fresh_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """transformers keeps a client of its own, which would go on asking an earlier test's server."""
    monkeypatch.setattr(transformers_hub, "_hf_api", None)


def test_every_branch_holds_its_own_weights_on_a_slow_server(
    tmp_path: Path, hub_server: HubServer
) -> None:
    """Trainer's own push would put the last weights on all of them."""
    hub_server.faults.next("commit", Fault.LATENCY, times=8, seconds=0.3)
    _, weights = trained(tmp_path, CheckpointSeriesCallback(REPO))
    assert sorted(weights) == [0, 2, 4, 6]
    for step, expected in weights.items():
        model = AutoModelForCausalLM.from_pretrained(REPO, revision=f"step{step}")
        assert_equal(model.state_dict(), expected)
    assert_equal(AutoModelForCausalLM.from_pretrained(REPO).state_dict(), weights[6])
    assert verify_hub(REPO, quiet=True).problems == ()
    assert set(states(tmp_path).values()) == {State.VERIFIED}


def test_rotation_while_pushes_wait(tmp_path: Path, hub_server: HubServer) -> None:
    hub_server.faults.next("commit", Fault.LATENCY, times=8, seconds=0.3)
    _, weights = trained(tmp_path, CheckpointSeriesCallback(REPO), save_total_limit=1)
    assert sorted(path.name for path in tmp_path.glob("checkpoint-*")) == ["checkpoint-6"]
    for step, expected in weights.items():
        path = tmp_path / f"{step}.safetensors"
        path.write_bytes(hub_server.files(REPO, f"step{step}")["model.safetensors"])
        assert_equal(load_file(path), expected)


def test_training_ends_with_the_same_weights_as_without(
    tmp_path: Path, hub_server: HubServer
) -> None:
    with_it, _ = trained(tmp_path / "a", CheckpointSeriesCallback(REPO))
    without, _ = trained(tmp_path / "b", None)
    assert_equal(with_it.model.state_dict(), without.model.state_dict())
    assert with_it.model.training == without.model.training


def test_the_card_says_how_long_it_took(tmp_path: Path, hub_server: HubServer) -> None:
    trainer, _ = trained(tmp_path, CheckpointSeriesCallback(REPO, wait_seconds=60))
    runtime = trainer.state.log_history[-1]["train_runtime"]
    card = hub_server.files(REPO)["README.md"].decode()
    assert f"| wall time | {duration(runtime)} |" in card
    assert verify_hub(REPO, quiet=True).problems == ()


def test_a_resumed_run_does_not_say_how_long_it_took(tmp_path: Path) -> None:
    trained(tmp_path, CheckpointSeriesCallback(REPO), max_steps=4)
    trained(tmp_path, CheckpointSeriesCallback(REPO), resume=True)
    assert "seconds" not in read_about(tmp_path)


def test_published_config_generates_with_a_cache(tmp_path: Path, hub_server: HubServer) -> None:
    trainer, _ = trained(tmp_path, CheckpointSeriesCallback(REPO))
    for revision in ("step0", "step2", "main"):
        assert AutoModelForCausalLM.from_pretrained(REPO, revision=revision).config.use_cache
    assert not trainer.model.config.use_cache  # which training wants off


def test_the_journal_knows_the_position(tmp_path: Path) -> None:
    trained(
        tmp_path,
        CheckpointSeriesCallback(REPO),
        gradient_accumulation_steps=2,
        include_num_input_tokens_seen="all",
    )
    records = Journal(tmp_path / "series").records()
    assert [r.data_position for r in records.values()] == [0, 16, 32, 48]
    assert [r.tokens_seen for r in records.values()] == [0, 96, 192, 288]
    assert "loss" in records[4].metrics


@pytest.mark.parametrize("why", ["offline", "no token"])
def test_nothing_is_asked_of_the_network(
    tmp_path: Path, why: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if why == "no token":
        from hf_grok.callbacks import checkpoint_series

        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setattr(checkpoint_series, "get_token", lambda: None)
    trained(tmp_path, CheckpointSeriesCallback(REPO))
    assert set(states(tmp_path).values()) == {State.STAGED}
    assert said[0].startswith(why)
    assert "step0, step2, step4, step6" in said[-1]
    assert f"hf-grok push {tmp_path} {REPO}" in said[-1]
    assert verify_folder(tmp_path, quiet=True).problems == ()


def test_the_end_waits_for_a_bounded_time(
    tmp_path: Path, hub_server: HubServer, said: list[str]
) -> None:
    hub_server.faults.next("commit", Fault.LATENCY, times=9, seconds=2)
    trained(tmp_path, CheckpointSeriesCallback(REPO, wait_seconds=0.2))
    assert "not on the Hub yet" in said[-1]


def test_a_bad_token_is_named_masked_and_training_goes_on(
    tmp_path: Path, hub_server: HubServer, said: list[str]
) -> None:
    hub_server.store.tokens.revoke(hub_server.write_token)
    trainer, _ = trained(tmp_path, CheckpointSeriesCallback(REPO, token=hub_server.write_token))
    assert trainer.state.global_step == 6
    assert any("401" in text for text in said)
    everything = "".join(said) + "".join(
        path.read_text(errors="replace") for path in tmp_path.joinpath("series").rglob("*.json*")
    )
    assert hub_server.write_token not in everything
    assert set(states(tmp_path).values()) == {State.STAGED}


def test_a_hub_token_among_the_arguments_is_not_written(tmp_path: Path) -> None:
    token = "hf_" + "a" * 34
    trained(tmp_path, CheckpointSeriesCallback(REPO), hub_token=token)
    for path in tmp_path.joinpath("series").rglob("*.json*"):
        assert token not in path.read_text()


def test_a_full_disk_is_said_and_caught_up_with(
    tmp_path: Path, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = staging.link_or_copy, []

    def full_at_the_second(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(source, target)

    monkeypatch.setattr(staging, "link_or_copy", full_at_the_second)
    trainer, _ = trained(tmp_path, CheckpointSeriesCallback(REPO))
    assert trainer.state.global_step == 6
    assert any("No space left" in text for text in said)
    assert set(states(tmp_path).values()) == {State.STAGED}  # at the next save


def test_a_learning_rate_of_zero_is_refused_with_both_names(
    tmp_path: Path, said: list[str]
) -> None:
    trainer, _ = trained(tmp_path, CheckpointSeriesCallback(REPO), learning_rate=0.0)
    assert trainer.state.global_step == 6
    assert any("step2 has the same weights as step0" in text for text in said)
    assert states(tmp_path) == {
        0: State.STAGED,
        2: State.REFUSED,
        4: State.REFUSED,
        6: State.REFUSED,
    }


def test_a_checkpoint_that_the_kill_left_out_is_taken_up_on_resume(tmp_path: Path) -> None:
    """Saved by Trainer, not yet journalled: as if the process had died in between."""
    trained(tmp_path, None, max_steps=4)
    _, weights = trained(tmp_path, CheckpointSeriesCallback(REPO, step_zero=False), resume=True)
    assert list(states(tmp_path)) == [2, 4, 6]
    found = load_file(tmp_path / "series/staged/step6/model.safetensors")
    assert_equal(found, weights[6])


def test_with_log_spaced_saves(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, eval_strategy="no", max_steps=4)
    trainer.add_callback(LogSpacedCallback(trainer, None, save="log:4"))
    trainer.add_callback(CheckpointSeriesCallback(REPO))
    trainer.train()
    assert states(tmp_path) == dict.fromkeys((0, 1, 2, 4), State.STAGED)


def test_another_folder(tmp_path: Path) -> None:
    trained(tmp_path / "run", CheckpointSeriesCallback(REPO, folder=tmp_path / "kept"))
    assert list(states(tmp_path / "kept")) == [0, 2, 4, 6]
    assert not (tmp_path / "run" / "series").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"repo_id": "a/b/c"}, "repository 'a/b/c'"),
        ({"repo_id": "a", "revision": "main"}, "revision template 'main'"),
        ({"repo_id": "a", "wait_seconds": -1}, "wait_seconds=-1"),
    ],
)
def test_bad_arguments(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=message):
        CheckpointSeriesCallback(**options)


def test_nothing_is_written_by_the_other_processes(tmp_path: Path) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=2, save_strategy="steps", save_steps=1)
    trainer.state.is_local_process_zero = False
    callback = CheckpointSeriesCallback(REPO)
    for event in (callback.on_train_begin, callback.on_save, callback.on_train_end):
        state = type(trainer.state)(is_world_process_zero=False)
        event(trainer.args, state, trainer.control, model=trainer.model)
    assert not (tmp_path / "series").exists()


def test_logging_is_transformers_own() -> None:
    from hf_grok.callbacks import checkpoint_series

    assert checkpoint_series.logger is logging.get_logger("hf_grok.callbacks.checkpoint_series")


WORDS = {"words": lambda step: 600_000 * step}


def test_a_series_named_by_words_is_pushed_verified_and_probed(
    tmp_path: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    trainer = tiny_trainer(tmp_path, max_steps=6, eval_strategy="no")
    trainer.processing_class = word_level_tokenizer([f"w{number}" for number in range(15)])
    trainer.add_callback(CheckpointSeriesCallback(REPO, revision="chck_{words}", seen=WORDS))
    schedule = LogSpacedCallback(trainer, None, save="words:1M,2M", seen=WORDS)
    trainer.add_callback(schedule)
    trainer.train()
    named = {0: "chck_0", 2: "chck_1M", 4: "chck_2M", 6: "chck_3600K"}
    records = Journal(tmp_path / "series").records()
    assert {step: record.revision for step, record in records.items()} == named
    assert set(branches(hub_server)) == {"main", *named.values()}
    report = verify_hub(REPO, quiet=True)
    assert report.problems == ()
    assert {found.name: found.step for found in report.revisions} == {
        name: step for step, name in named.items()
    }
    assert verify_folder(tmp_path).problems == ()
    out = tmp_path / "norms.json"
    assert main(["probe", REPO, "--probes", "norm", "--out", str(out)]) == 0
    probed = {row["revision"]: row["step"] for row in json.loads(out.read_text())["rows"]}
    assert list(probed) == ["chck_0", "chck_1M", "chck_2M", "chck_3600K"]
    assert "are words, no steps" in capsys.readouterr().err


def branches(server: HubServer) -> list[str]:
    return [ref.name for ref in server.client().list_repo_refs(REPO).branches]


def test_names_that_nobody_counts_are_refused() -> None:
    with pytest.raises(UserError, match="names a step by the words seen, and nobody says"):
        CheckpointSeriesCallback(REPO, revision="chck_{words}")


def test_a_series_named_by_words_is_finished_as_the_run_says(
    tmp_path: Path,
    hub_server: HubServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with monkeypatch.context() as offline:
        offline.setattr("hf_grok.callbacks.checkpoint_series.is_offline_mode", lambda: True)
        callback = CheckpointSeriesCallback(REPO, revision="chck_{words}", seen=WORDS)
        trained(tmp_path, callback)
    advised = caplog.text.partition("To finish: hf-grok ")[2].splitlines()[0]
    words = shlex.split(advised)
    assert words == ["push", str(tmp_path), REPO, "--revision-template", "chck_{words}"]
    assert main(words[:3]) == 2  # its steps are not called step0, step2, ...
    assert main(words) == 0
    assert set(branches(hub_server)) == {"main", "chck_0", "chck_1M", "chck_2M", "chck_3600K"}

"""What a user can get wrong: a clear error, and nothing lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hf_grok.cli import main
from hf_grok.errors import UserError
from hf_grok.recipes.recipe import argument_names, load_recipe, parse, shipped_recipes
from hf_grok.runs.manifest import checkpoints, flaw
from tests.recipes.tiny import recipe_file, tiny_settings, train_apart, train_tiny

# From step 15 on no file may grow beyond 20 kB, as on a disk that is full: saving must fail.
FULL_DISK = """
import resource, signal
from hf_grok.recipes.trainer.trainer import GrokTrainer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
ordinary = GrokTrainer.training_step
def training_step(self, *arguments, **more):
    if self.state.global_step == 15:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    return ordinary(self, *arguments, **more)
GrokTrainer.training_step = training_step
"""
FILES_HAVE_LIMITS = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows limits no file's size, to stand for a full disk"
)

CHECKPOINTING = next(
    name
    for name in ("activation_checkpointing", "gradient_checkpointing")
    if name in argument_names()
)


@pytest.mark.parametrize(
    ("name", "scale", "message"),
    [
        ("question-formaton", None, r"unknown recipe 'question-formaton'.*Did you mean 'question"),
        ("dyck", "huge", r"unknown scale of dyck 'huge': expected one of paper, quick"),
        ("absent.yaml", None, r"there is no recipe file absent.yaml"),
        ("mine.yaml", "quick", r"mine.yaml is a file"),
    ],
)
def test_unknown_recipes(name: str, scale: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_recipe(name, scale)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("layer: 4", r"unknown key 'layer' in .*Did you mean layers"),
        ("- layers", "expected a mapping"),
        ("layers: [4", "not YAML"),
    ],
)
def test_unreadable_recipes(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--layer", "4"], r"unknown argument --layer: expected one of .*Did you mean layers"),
        (["--layers", "four"], "invalid int value: 'four'"),
        (["--model_options", "{"], "--model_options: expected JSON"),
        (["--language_options", "[1]"], "expected a JSON object"),
        (["--eval_strategy", "often"], "not a valid IntervalStrategy"),
    ],
)
def test_bad_arguments(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        tiny_settings(tmp_path, *words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--language", "klingon"], "unknown language 'klingon'"),
        (["--language_config", "hard"], r"unknown config of QuestionFormation 'hard'"),
        (["--language_options", '{"train_siz": 5}'], "train_siz"),
        (["--language_options", '{"generalization_size": 0}'], "no split 'generalization'"),
        (["--evaluation_examples", "-1"], "evaluation_examples=-1"),
        (["--precision", "fp8"], "unknown precision 'fp8': expected one of auto, bf16, fp32"),
        (["--attention", "fast"], "unknown attention 'fast'"),
        (["--dropout_masks", "none"], "unknown dropout_masks 'none'"),
        (["--threads", "-2"], "threads=-2"),
        (["--bf16", "true"], "say --precision bf16"),
        (["--evaluations", "log:0"], "N must be 1 or more"),
        (["--save_strategy", "epoch"], "would both choose steps"),
        (["--eval_strategy", "steps", "--eval_steps", "5"], "do not heed it. .*say --evaluations"),
        (["--model", "gpt5"], "unknown model 'gpt5'"),
        (["--model_options", '{"width": 3}'], "unknown option of vanilla_transformer 'width'"),
        (["--heads", "3"], "hidden_size"),
        (["--model_options", '{"max_position_embeddings": 4}'], "has 4 positions"),
        ([f"--{CHECKPOINTING}", "true"], "--dropout_masks drawn"),
    ],
)
def test_a_run_that_cannot_start_leaves_no_folder(
    tmp_path: Path, words: list[str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        train_tiny(tmp_path, *words)
    assert not (tmp_path / "run").exists()


# Recipes that are not named after their language, and scales that learn a corpus of the user's.
LANGUAGE_OF = {"sas-mlm": "agreement"}
OF_A_CORPUS = {("sas-mlm", "english"), ("sas-mlm", "paper"), ("lm", "english")}


def test_every_shipped_recipe_parses() -> None:
    for name, [scales] in shipped_recipes().items():
        for scale in scales.thing:
            settings = parse(load_recipe(name, scale), [])
            learnt = "" if (name, scale) in OF_A_CORPUS else LANGUAGE_OF.get(name, name)
            assert settings.data.language == learnt
            assert settings.training.output_dir == f"runs/{name}-{scale}-seed0"


@pytest.mark.slow
def test_dictionaries_are_read_whatever_unions_were_made_before() -> None:
    """Typing gives out a union that it has made before for one with the same members."""
    code = """
from typing import Optional, Union
Optional[Union[str, dict]]
from hf_grok.recipes.recipe import load_recipe, parse
settings = parse(load_recipe("dyck"), ["--language_options", '{"train_size": 3}'])
print(settings.data.language_options)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "{'train_size': 3}", done.stderr


def test_a_loss_that_is_not_finite_stops_the_run_and_keeps_the_last_good(tmp_path: Path) -> None:
    words = ["--learning_rate", "1e30", "--max_grad_norm", "0", "--warmup_steps", "12"]
    with pytest.raises(UserError, match=r"(the loss is (nan|inf) at step \d+|is not finite)"):
        train_tiny(tmp_path, *words, "--checkpoints", "every:1")
    info = json.loads((tmp_path / "run" / "run.json").read_text())
    assert info["status"] == "failed"
    assert "Lower learning_rate" in info["reason"] or "not finite" in info["reason"]
    kept = checkpoints(tmp_path / "run")
    assert kept
    assert all(flaw(folder) is None for folder in kept)
    assert str(kept[-1]) in info["reason"]


@FILES_HAVE_LIMITS
def test_a_full_disk_loses_nothing_that_was_saved(tmp_path: Path) -> None:
    done = train_apart(tmp_path, "--probes", "none", code=FULL_DISK).finished()
    assert done.returncode == 2, done.stderr
    assert "could not write" in done.stderr
    assert "checkpoint-20" in done.stderr
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr
    left = checkpoints(tmp_path / "run")
    assert [folder.name for folder in left] == ["checkpoint-0", "checkpoint-10"]
    assert all(flaw(folder) is None for folder in left)
    resumed = train_tiny(tmp_path, "--probes", "none", resume=True)
    assert json.loads((resumed / "run.json").read_text())["status"] == "finished"


@FILES_HAVE_LIMITS
def test_a_table_that_cannot_be_written_stops_the_run_and_says_so(tmp_path: Path) -> None:
    """The probes' numbers have filled 20 kB before the checkpoint does."""
    done = train_apart(tmp_path, "--evaluations", "every:1", code=FULL_DISK).finished()
    assert done.returncode == 2, done.stderr
    assert "could not write to" in done.stderr
    assert "metrics.jsonl" in done.stderr
    assert "--resume" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_line_prints_the_message_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", recipe_file(tmp_path), "--layer", "4"]) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("hf-grok train: unknown argument --layer")
    assert "Traceback" not in errors

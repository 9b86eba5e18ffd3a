"""ship_code: what strangers load, what they must say for it, and what cannot be shipped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, Trainer

from hf_grok.callbacks import CheckpointSeriesCallback
from hf_grok.callbacks.published_config import is_our_model, is_ours
from hf_grok.cli import main
from hf_grok.errors import UserError
from hf_grok.models import VanillaTransformerForCausalLM, word_level_tokenizer
from hf_grok.series import Journal
from hf_grok.series.code.model_code import MODEL_CODE_FILE, model_code
from hf_grok.series.verify.hub import verify_hub
from tests.callbacks.material import tiny_trainer
from tests.hub_server import HubServer
from tests.hub_server.fixtures import hub_server, hub_waits
from tests.series.material import save_checkpoint
from tests.series.vanilla import BLOCKED, save_vanilla, tiny_vanilla

__all__ = ["hub_server", "hub_waits"]

REPO = "grower/ours"
WORDS = [f"w{number}" for number in range(16)]

# A stranger's process; what it would be asked at a terminal it answers with nothing.
STRANGER = (
    BLOCKED
    + """
import torch
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, AutoTokenizer

repo, ids, found = "grower/ours", torch.arange(4, 12).reshape(2, 4), {}
for ask in (AutoConfig, AutoModelForCausalLM):
    try:
        ask.from_pretrained(repo, revision="step2")
        print("loaded")
    except ValueError as error:
        print("refused" if "trust_remote_code=True" in str(error) else error)
for revision in ("step2", "step4", "main"):
    model = AutoModelForCausalLM.from_pretrained(repo, revision=revision, trust_remote_code=True)
    with torch.no_grad():
        found[revision] = model(ids).logits
    found[f"{revision} generated"] = model.generate(ids, max_new_tokens=3, do_sample=False)
    assert model.config.use_cache
states = AutoModel.from_pretrained(repo, revision="step2", trust_remote_code=True)(ids)
found["states"] = states.last_hidden_state.detach()
tokenizer = AutoTokenizer.from_pretrained(repo, revision="step2")
assert tokenizer("w0 w1")["input_ids"] == [1, 4, 5], tokenizer("w0 w1")
save_file(found, "found.safetensors")
assert not [name for name in sys.modules if name.partition(".")[0] == "hf_grok"]
"""
)


class MyModel(GPT2LMHeadModel):
    """Neither the library's own nor ours."""


def train(folder: Path, model: nn.Module, **options: bool) -> Trainer:
    settings = {"save_strategy": "steps", "save_steps": 2, "max_steps": 4, "eval_strategy": "no"}
    trainer = tiny_trainer(folder, **settings)
    trainer = Trainer(
        model=model,
        args=trainer.args,
        train_dataset=trainer.train_dataset,
        processing_class=word_level_tokenizer(WORDS),
    )
    trainer.add_callback(CheckpointSeriesCallback(REPO, **options))
    trainer.train()
    return trainer


@pytest.mark.slow
def test_a_stranger_loads_every_step_and_must_say_so(tmp_path: Path, hub_server: HubServer) -> None:
    train(tmp_path / "run", tiny_vanilla(), ship_code=True)
    for revision in ("step0", "step2", "step4", "main"):
        assert hub_server.files(REPO, revision)[MODEL_CODE_FILE].decode() == model_code()
    assert verify_hub(REPO, quiet=True).problems == ()
    card = hub_server.files(REPO, "main")["README.md"].decode()
    assert "trust_remote_code=True" in card
    done = subprocess.run(
        [sys.executable, "-c", STRANGER],
        cwd=tmp_path,
        env=hub_server.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("refused") == 2
    assert "loaded" not in done.stdout
    found = load_file(tmp_path / "found.safetensors")
    ids = torch.arange(4, 12).reshape(2, 4)
    for revision, step in (("step2", 2), ("step4", 4), ("main", 4)):
        folder = tmp_path / "run" / f"checkpoint-{step}"
        model = VanillaTransformerForCausalLM.from_pretrained(folder)
        with torch.no_grad():
            assert torch.equal(found[revision], model(ids).logits)
        generated = model.generate(ids, max_new_tokens=3, do_sample=False)
        assert torch.equal(found[f"{revision} generated"], generated)
    assert found["states"].shape == (2, 4, 8)
    assert hub_server.log.leaks() == []


def test_a_stock_class_is_said_to_need_none(tmp_path: Path, said: list[str]) -> None:
    config = GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=2)
    train(tmp_path, GPT2LMHeadModel(config), ship_code=True)
    assert said[0] == "ship_code adds nothing: GPT2LMHeadModel is of transformers"
    for record in Journal(tmp_path / "series").records().values():
        assert not [name for name in record.files if name.endswith(".py")]


def test_how_to_finish_says_it_too(tmp_path: Path, said: list[str]) -> None:
    train(tmp_path, tiny_vanilla(), ship_code=True)
    assert said[-1].endswith(f"hf-grok push {tmp_path} {REPO} --ship-code")


def test_a_class_that_nobody_knows_is_named_before_training(tmp_path: Path) -> None:
    config = GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=1, n_head=2)
    with pytest.raises(UserError, match=r"MyModel .model_type 'gpt2'. is neither"):
        train(tmp_path, MyModel(config), ship_code=True)
    assert not (tmp_path / "series").exists()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("vanilla_transformer", "MyVanilla"),
        ("gpt2", "VanillaTransformerForCausalLM"),
        ("mine", "GPT2LMHeadModel"),
        (None, "Sequential"),
    ],
)
def test_kind_and_class_must_both_be_known(kind: str | None, name: str) -> None:
    with pytest.raises(UserError, match=f"ship_code: {name} "):
        is_ours(kind, name)


def test_models_in_memory() -> None:
    assert is_our_model(tiny_vanilla())
    assert is_our_model(torch.compile(tiny_vanilla(), backend="eager"))
    with pytest.raises(UserError, match="Sequential"):
        is_our_model(nn.Sequential())


def test_push_ships_code(
    tmp_path: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    for step in (0, 10):
        save_vanilla(run, step)
    assert main(["push", str(run), REPO, "--ship-code"]) == 0
    for revision in ("step0", "step10", "main"):
        assert hub_server.files(REPO, revision)[MODEL_CODE_FILE].decode() == model_code()
        assert "other.py" not in hub_server.files(REPO, revision)
    assert main(["verify", REPO]) == 0
    assert main(["verify", str(run)]) == 0
    assert main(["push", str(run), REPO]) == 2
    assert "--ship-code" in capsys.readouterr().err


def test_push_says_that_stock_classes_need_none(
    tmp_path: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path, 10)
    assert main(["push", str(tmp_path), REPO, "--ship-code"]) == 0
    assert "--ship-code adds nothing" in capsys.readouterr().err


def test_push_names_a_class_that_nobody_knows(
    tmp_path: Path, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = save_checkpoint(tmp_path, 10)
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace("GPT2LMHeadModel", "MyModel"))
    assert main(["push", str(tmp_path), REPO, "--ship-code"]) == 2
    assert "ship_code: MyModel" in capsys.readouterr().err
    assert main(["push", str(tmp_path), REPO]) == 0

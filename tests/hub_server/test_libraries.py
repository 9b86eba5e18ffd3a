"""transformers and datasets as a user has them: in a process of their own, which downloads."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel

from tests.hub_server import Fault, HubServer

REPO = "grower/series"

PUSH_AND_LOAD = """
import hashlib, json
from transformers import AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel
from huggingface_hub import create_branch, create_repo, upload_folder

create_repo("grower/series", private=True)
weights = {}
for step in (1, 2):
    model = GPT2LMHeadModel(GPT2Config(vocab_size=11, n_positions=8, n_embd=4, n_layer=1, n_head=1))
    model.save_pretrained(f"step{step}")
    create_branch("grower/series", branch=f"step{step}")
    upload_folder(repo_id="grower/series", folder_path=f"step{step}", revision=f"step{step}")
    weights[step] = model.transformer.wte.weight.tolist()
for step in (1, 2):
    model = AutoModelForCausalLM.from_pretrained("grower/series", revision=f"step{step}")
    assert model.transformer.wte.weight.tolist() == weights[step]
assert weights[1] != weights[2]
"""

DATASET = """
from datasets import ClassLabel, Dataset, Features, Value, load_dataset

features = Features({"text": Value("string"), "task": ClassLabel(names=["decl", "quest"])})
made = Dataset.from_dict({"text": ["a b", "c"], "task": [0, 1]}, features=features)
made.push_to_hub("grower/language", private=True, config_name="first")
made.push_to_hub("grower/language", config_name="second", split="test")
loaded = load_dataset("grower/language", "first", split="train")
assert loaded.to_dict() == made.to_dict()
assert loaded.features == made.features
assert load_dataset("grower/language", "second")["test"].to_dict() == made.to_dict()
"""


def run(hub_server: HubServer, folder: Path, program: str, xet: bool = False) -> None:
    completed = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=hub_server.environment(xet=xet),
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    assert hub_server.write_token not in completed.stdout + completed.stderr


def has_xet() -> bool:
    return importlib.util.find_spec("hf_xet") is not None


@pytest.mark.parametrize(
    "xet",
    [
        False,
        pytest.param(True, marks=pytest.mark.skipif(not has_xet(), reason="needs hf_xet")),
    ],
)
def test_each_revision_loads_as_its_own_weights(
    hub_server: HubServer, tmp_path: Path, xet: bool
) -> None:
    if xet:
        hub_server.everything_regular()
    run(hub_server, tmp_path, PUSH_AND_LOAD, xet)
    for step in ("step1", "step2"):
        saved = (tmp_path / step / "model.safetensors").read_bytes()
        assert hub_server.files(REPO, step)["model.safetensors"] == saved
    assert len(hub_server.log.entries("lfs_put")) == (0 if xet else 2)
    assert hub_server.check() == ""
    assert hub_server.log.leaks() == []


def test_data_sets_go_there_and_back(hub_server: HubServer, tmp_path: Path) -> None:
    run(hub_server, tmp_path, DATASET)
    assert hub_server.repository("grower/language", "datasets").private
    assert len(hub_server.log.entries("lfs_put")) == 1  # both hold the same rows
    assert len(hub_server.log.entries("download")) >= 3
    assert hub_server.check() == ""
    assert hub_server.log.leaks() == []


@pytest.fixture
def pushed(hub_server: HubServer, tmp_path: Path) -> GPT2LMHeadModel:
    config = GPT2Config(vocab_size=11, n_positions=8, n_embd=4, n_layer=1, n_head=1)
    model = GPT2LMHeadModel(config)
    model.save_pretrained(tmp_path / "model")
    client = hub_server.client()
    client.create_repo(REPO, private=True)
    client.upload_folder(repo_id=REPO, folder_path=tmp_path / "model")
    return model


def test_this_very_process_loads_from_the_server(
    hub_server: HubServer, pushed: GPT2LMHeadModel
) -> None:
    loaded = AutoModelForCausalLM.from_pretrained(REPO)
    assert torch.equal(loaded.transformer.wte.weight, pushed.transformer.wte.weight)


def test_loading_survives_a_truncated_download(
    hub_server: HubServer, pushed: GPT2LMHeadModel, hub_waits: list[float]
) -> None:
    hub_server.faults.next("download", Fault.TRUNCATED_DOWNLOAD, after=1)
    loaded = AutoModelForCausalLM.from_pretrained(REPO)
    assert torch.equal(loaded.transformer.wte.weight, pushed.transformer.wte.weight)
    assert hub_server.faults.count(Fault.TRUNCATED_DOWNLOAD) == 1

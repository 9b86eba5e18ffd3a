"""What leaves the machine: what a checkpoint is made of, by name, and no token in it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from hf_grok.cli import main
from hf_grok.models.tokenizer import word_level_tokenizer
from hf_grok.series import RefusedStepError, State, StepValues
from hf_grok.series.local import staging
from hf_grok.series.local.selection import published_files
from hf_grok.series.verify.local import verify_folder
from tests.hub_server import HubServer
from tests.series.material import REPO, pusher_of, save_checkpoint, series_of, staged

TOKEN = "hf_" + "aB3" * 11
FACTS = StepValues()
SECRETS = {
    "hf": TOKEN,
    "aws": "AKIA" + "Z7" * 8,
    "github": "ghp_" + "a1B2" * 9,
    "bearer": "Bearer abcdef0123456789",
}
STRAY = (
    *(".env.json", "notes.json", "credentials.json", "notes.txt", "requirements.txt", ".env"),
    *("backup.safetensors", "all_results.json", "x.jinja", "run.model", "vocab.json.bak"),
    *("modeling_x.py", "deepspeed.yaml", "wandb.json", "hyperparameters.vocab"),
)
OURS = (
    *("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json"),
    *("vocab.json", "merges.txt", "vocab.txt", "spiece.model", "chat_template.jinja"),
    *("preprocessor_config.json", "processor_config.json", "special_tokens_map.json"),
    *("added_tokens.json", "qwen.tiktoken", "adapter_config.json"),
)


def test_what_a_model_is_loaded_from_goes_and_nothing_else(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 1)
    for name in STRAY:
        (folder / name).write_text(f'{{"password": "{TOKEN}"}}')
    for name in set(OURS) - {"config.json", "generation_config.json"}:
        (folder / name).write_text("{}")
    said: list[str] = []
    series = series_of(tmp_path, say=said.append)
    record = series.add(1, folder, FACTS)
    assert set(record.files) == {*OURS, "model.safetensors"}
    assert all(name in said[0] for name in STRAY)
    assert "optimizer.pt" not in said[0]
    assert "trainer_state.json" not in said[0]
    series.add(2, save_checkpoint(tmp_path, 2), FACTS)
    assert len(said) == 1


@pytest.mark.parametrize(
    "name",
    [
        "model.safetensors",
        "model.fp16.safetensors",
        "model-00001-of-00002.safetensors",
        "adapter_model.safetensors",
    ],
)
def test_weights_by_their_names(tmp_path: Path, name: str) -> None:
    folder = save_checkpoint(tmp_path, 1)
    (folder / "model.safetensors").rename(folder / name)
    assert name in [path.name for path in published_files(folder)]


def test_shards_are_those_that_the_index_names(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 1)
    (folder / "model.safetensors").rename(folder / "part-a.safetensors")
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"x": "part-a.safetensors"}}))
    assert {"part-a.safetensors", index.name} <= {p.name for p in published_files(folder)}
    for shard in ("notes.json", "part-b.safetensors"):
        (folder / "notes.json").write_text("{}")
        index.write_text(json.dumps({"weight_map": {"x": "part-a.safetensors", "y": shard}}))
        with pytest.raises(RefusedStepError, match=f"names {shard}, which is not there"):
            published_files(folder)


def test_a_tokenizer_comes_back_whole(tmp_path: Path) -> None:
    folder, tokenizer = save_checkpoint(tmp_path, 1), word_level_tokenizer(["a", "b"])
    tokenizer.save_pretrained(folder)
    series = series_of(tmp_path)
    series.add(1, folder, FACTS)
    again = AutoTokenizer.from_pretrained(series.folder / "staged" / "step1")
    assert again.get_vocab() == tokenizer.get_vocab()


@pytest.mark.parametrize("name", ["config.json", "generation_config.json", "vocab.json"])
def test_a_link_that_leaves_the_checkpoint_is_refused(tmp_path: Path, name: str) -> None:
    folder = save_checkpoint(tmp_path, 1)
    (tmp_path / "passwords.json").write_text('{"user": "ada"}')
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(tmp_path / "passwords.json")
    series = series_of(tmp_path)
    with pytest.raises(RefusedStepError, match=f"checkpoint-1/{name} is a link to a file outside"):
        series.add(1, folder, FACTS)
    assert not (series.folder / "staged" / "step1").exists()
    assert not list(series.folder.rglob("*.safetensors"))


def test_a_link_within_the_checkpoint_is_the_file(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 1)
    (folder / "model.safetensors").rename(folder / "weights.safetensors")
    (folder / "model.safetensors").symlink_to("weights.safetensors")
    series = series_of(tmp_path)
    series.add(1, folder, FACTS)
    path = series.folder / "staged" / "step1" / "model.safetensors"
    assert not path.is_symlink()
    assert path.read_bytes() == (folder / "weights.safetensors").read_bytes()


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "chat_template.jinja"])
def test_a_token_in_a_text_is_refused_with_its_place(
    tmp_path: Path, name: str, secret: str
) -> None:
    folder = save_checkpoint(tmp_path, 1)
    if name.endswith(".json"):
        (folder / name).write_text(json.dumps({"model_type": "gpt2", "note": SECRETS[secret]}))
    else:
        (folder / name).write_text("{# " + SECRETS[secret] + " #}")
    series = series_of(tmp_path)
    with pytest.raises(RefusedStepError, match=rf"checkpoint-1/{name} holds .*\(line \d") as error:
        series.add(1, folder, FACTS)
    assert SECRETS[secret] not in str(error.value)
    assert SECRETS[secret].encode() not in series.journal.path.read_bytes()
    assert not list(series.folder.rglob("*.safetensors"))


def test_a_token_in_the_metadata_of_the_weights(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 1)
    path = folder / "model.safetensors"
    save_file(load_file(path), path, metadata={"format": "pt", "by": TOKEN})
    with pytest.raises(RefusedStepError, match=r"metadata of checkpoint-1/model\.safetensors"):
        series_of(tmp_path).add(1, folder, FACTS)


def test_the_token_of_this_machine_whatever_it_looks_like(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "sesame-open-thyself")
    folder = save_checkpoint(tmp_path, 1)
    (folder / "vocab.txt").write_text("a\nsesame-open-thyself\nb\n")
    with pytest.raises(RefusedStepError, match=r"the token of this machine \(line 2"):
        series_of(tmp_path).add(1, folder, FACTS)


def test_a_checkpoint_that_was_fixed_goes(tmp_path: Path, hub_server: HubServer) -> None:
    folder = save_checkpoint(tmp_path, 1)
    save_checkpoint(tmp_path, 2)
    whole = (folder / "config.json").read_text()
    (folder / "config.json").write_text(whole.replace("{", f'{{"x": "{TOKEN}",', 1))
    assert main(["push", str(tmp_path), REPO]) == 1
    assert not hub_server.holds(TOKEN)
    assert "step2" in {ref.name for ref in hub_server.client().list_repo_refs(REPO).branches}
    (folder / "config.json").write_text(whole)
    assert main(["push", str(tmp_path), REPO]) == 0
    assert hub_server.log.leaks() == []


def test_what_lies_staged_is_looked_through_once_more(
    tmp_path: Path, hub_server: HubServer
) -> None:
    """As an earlier version set it aside; and what its owner added for the card."""
    series = staged(tmp_path, [1])
    folder = series.folder / "staged" / "step1"
    (folder / "README.md").write_text("x")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "x": TOKEN}))
    series.journal.update(1, files=staging.facts_of(folder))
    told: list[str] = []
    assert pusher_of(series, warn=told.append).push_waiting().waiting == ("step1",)
    assert "config.json of step1 holds a Hugging Face token (line 1" in told[0]
    assert TOKEN not in told[0]
    assert not hub_server.holds(TOKEN)


def test_a_config_that_is_no_json_is_refused(tmp_path: Path) -> None:
    folder = save_checkpoint(tmp_path, 1)
    for text in ("{cut", "[1]", "\ufeff\x00"):
        (folder / "config.json").write_text(text)
        series = series_of(tmp_path)
        with pytest.raises(RefusedStepError, match=r"checkpoint-1/config.json"):
            series.add(1, folder, FACTS)
        record = series.journal.get(1)
        assert record is not None
        assert record.state is State.REFUSED


def test_a_copy_of_the_weights_under_another_name_is_none(tmp_path: Path) -> None:
    """Neither when the step comes again nor when the run is verified."""
    folder, series = save_checkpoint(tmp_path, 1), series_of(tmp_path)
    (folder / "before-the-surgery.safetensors").write_bytes(b"other weights")
    record = series.add(1, folder, FACTS)
    assert series.add(1, folder, FACTS) == record
    assert verify_folder(tmp_path, quiet=True).problems == ()


def test_a_file_more_in_a_staged_step_is_named(tmp_path: Path) -> None:
    series = staged(tmp_path, [1, 2])
    (series.folder / "staged" / "step1" / "modeling_x.py").write_text("import os")
    (problem,) = verify_folder(tmp_path, quiet=True).problems
    assert (problem.kind, problem.revision) == ("altered", "step1")
    assert "modeling_x.py" in problem.detail

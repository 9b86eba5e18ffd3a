"""The package of `docs/your_language.md`: no line of hf-grok knows it, and every command does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import datasets
import pytest
import torch

from hf_grok.cli import main
from hf_grok.models import (
    VanillaTransformerConfig,
    VanillaTransformerForCausalLM,
    word_level_tokenizer,
)
from hf_grok.packages import brought_files
from hf_grok.sweep.plan import read_plan
from tests.commands import test_documented_commands as documented
from tests.hub_server import HubServer
from tests.hub_server.fixtures import hub_server
from tests.your_language import PAGE, files_of_the_page, install, write_package

__all__ = ["hub_server"]

SIZES = {"train_size": 64, "validation_size": 20, "test_size": 40, "generalization_size": 40}
SMALL = [f"--{name.replace('_', '-')}={size}" for name, size in SIZES.items()]
TINY = (
    *("--language_options", json.dumps(SIZES), "--evaluation_examples", "10"),
    *("--hidden_size", "16", "--heads", "2", "--model_options", '{"intermediate_size": 32}'),
    *("--max_steps", "4", "--evaluations", "every:4", "--checkpoints", "every:4"),
    *("--probe_examples", "8", "--threads", "1", "--use_cpu", "true", "--disable_tqdm", "true"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    package = write_package(tmp_path_factory.mktemp("package"))
    # Where tests of other files came in between, it was installed before, in another folder.
    for name in [name for name in sys.modules if name.partition(".")[0] == "attractors"]:
        del sys.modules[name]
    return install(package, tmp_path_factory.mktemp("site"))


@pytest.fixture(autouse=True)
def _installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setenv("PYTHONPATH", str(site))


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def run(runs: Path) -> Path:
    """Trained once, by the first test that asks."""
    folder = runs / "run"
    if not folder.exists():
        assert main(["train", "attractors", *TINY, "--output_dir", str(folder)]) == 0
    return folder


def rows(run: Path) -> list[dict]:
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_all_of_the_page_is_installed(site: Path) -> None:
    files = set(files_of_the_page())
    assert {"pyproject.toml", "attractors/__init__.py"} <= files
    assert not [name for name in files - {"pyproject.toml"} if not (site / name).is_file()]
    found = {str(brought): brought.thing for brought in brought_files("sweeps", "*.yaml")}
    assert found["attractors 0.1"] == site / "attractors" / "sweeps" / "attractors-depth.yaml"


def test_lists_name_it_with_its_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["data", "--help"])
    assert "  attractors          Attractors (attractors 0.1)\n" in capsys.readouterr().out
    main(["train", "--list"])
    listed = capsys.readouterr().out.splitlines()
    assert "attractors            quick  (attractors 0.1)" in listed
    assert "dyck                  paper, quick" in listed
    main(["sweep", "--list"])
    assert {"attractors-depth  (attractors 0.1)", "sas-mlm"} <= {
        *capsys.readouterr().out.splitlines()
    }


def test_its_data_and_their_card(tmp_path: Path) -> None:
    folder, cache = tmp_path / "data", str(tmp_path / "cache")
    assert main(["data", "attractors", "--out", str(folder), *SMALL, "--cache-dir", cache]) == 0
    data = datasets.load_dataset(str(folder), cache_dir=cache)
    assert {split: len(part) for split, part in data.items()} == {
        "train": 64, "validation": 20, "test": 40, "generalization": 40
    }  # fmt: skip
    for split, part in data.items():
        for row in part:
            subject, other = row["words"][1], row["words"][4]
            assert row["heads"] == [2, 6, 5, 5, 2, 0, 6]
            assert row["deprels"] == ["det", "nsubj", "case", "det", "nmod", "root", "punct"]
            assert row["spans"] == [[0, 6], [0, 5], [0, 2], [2, 5], [3, 5]]
            assert row["words"][5].endswith("s") != subject.endswith("s")
            differ = subject.endswith("s") != other.endswith("s")
            assert differ == (split == "generalization")
    card = (folder / "README.md").read_text()
    assert "attractors 0.1, hf-grok" in card
    assert "package: attractors\n" in card
    assert "license: cc0-1.0\n" in card
    assert "## Papers" not in card


def test_what_its_behaviour_measures() -> None:
    from attractors.behaviour import AttractorBehaviour

    words = ["the", "bird", "near", "trees", "sings", "sing", "."]
    tokenizer = word_level_tokenizer(words)
    texts = ["the bird near the trees sings .", "the trees near the bird sing ."]
    lines = [{"text": text, "words": text.split(), "verb_index": 5} for text in texts]
    config = VanillaTransformerConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=8,
    )  # fmt: skip
    model = VanillaTransformerForCausalLM(config).eval()
    right = 0
    for text in texts:
        before, verb = text.split()[:5], text.split()[5]
        other = {"sings": "sing", "sing": "sings"}[verb]
        ids = tokenizer(" ".join(before), return_tensors="pt")["input_ids"]
        with torch.no_grad():
            scores = model(input_ids=ids).logits[0, -1]
        gold, wrong = tokenizer.convert_tokens_to_ids([verb, other])
        right += int(scores[gold] > scores[wrong])
    assert AttractorBehaviour(lines, tokenizer).tally(model)["accuracy"] == (right, 2)


def test_a_run_measures_and_probes_it(run: Path) -> None:
    last = {key: value for row in rows(run) for key, value in row.items()}
    for name in ("in_distribution_accuracy", "generalization_accuracy", "uas_single_head"):
        assert f"eval_{name}" in last, name
    assert "eval_tree_parseval" in last
    info = json.loads((run / "run.json").read_text())
    assert info["status"] == "finished"
    assert info["versions"]["attractors"] == "0.1"
    assert info["annotation"] == {"training": "ud", "evaluation": "ud"}


def test_probes_after_the_fact_and_a_report(run: Path, tmp_path: Path) -> None:
    words = ["--data", "attractors", "--split", "generalization", "--sample", "20"]
    words += ["--probes", "attractors,uas"]
    assert main(["probe", str(run), *words, "--out", str(tmp_path / "probes.json")]) == 0
    found = json.loads((tmp_path / "probes.json").read_text())
    # What a behaviour measures has the name that it has in a run, by the split.
    for name in ("uas", "generalization"):
        assert found["probes"][name]["data"].startswith("attractors (generalization")
        assert "20 rows" in found["probes"][name]["data"]
    shares = [row["value"] for row in found["rows"] if row["metric"] == "generalization_accuracy"]
    assert len(shares) == 2
    assert all(share * 20 == pytest.approx(round(share * 20)) for share in shares)
    assert main(["report", str(run), "--out", str(tmp_path / "page")]) == 0
    assert "attractors" in (tmp_path / "page" / "report.html").read_text()


def test_data_and_series_on_the_hub(run: Path, tmp_path: Path, hub_server: HubServer) -> None:
    cache = ["--cache-dir", str(tmp_path / "cache")]
    assert main(["data", "attractors", "--push", "my-attractors", *SMALL, *cache]) == 0
    readme = hub_server.files("grower/my-attractors", kind="datasets")["README.md"].decode()
    assert "attractors 0.1, hf-grok" in readme
    assert main(["push", str(run), "my-series"]) == 0
    card = hub_server.files("grower/my-series")["README.md"].decode()
    assert "subject-verb-agreement" in card
    assert "hf-grok data attractors" in card


def test_every_command_of_the_page_can_be_given() -> None:
    commands = documented.shown([PAGE])
    kinds = {command.split()[0] for _, command in commands}
    assert kinds == {"data", "train", "probe", "report", "sweep", "push"}
    for page, command in commands:
        if command.startswith("train "):
            documented.test_training_as_it_is_shown(page, command)
        elif not command.startswith("data "):  # test_its_data_and_their_card, ..._on_the_hub
            documented.test_other_commands_as_they_are_shown(page, command)
    assert len(read_plan("attractors-depth").arms) == 2


@pytest.mark.slow
def test_its_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    settings = [f"{key[2:]}={value}" for key, value in zip(TINY[::2], TINY[1::2], strict=True)]
    settings = [one for one in settings if not one.startswith(("threads", "disable_tqdm"))]
    words = ["--seeds", "0", "--workers", "1", "--out", str(tmp_path / "sweep")]
    assert main(["sweep", "attractors-depth", *words, "--override", *settings]) == 0
    infos = [json.loads(path.read_text()) for path in (tmp_path / "sweep").glob("*/run.json")]
    assert sorted((info["status"], info["model"]["layers"]) for info in infos) == [
        ("finished", 2), ("finished", 4)
    ]  # fmt: skip

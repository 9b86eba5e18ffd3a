"""Adapters, and folders that are broken or hostile: one line, and nothing of theirs is run."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import HfApi
from huggingface_hub.utils import httpx
from safetensors.torch import load_file, save_file
from transformers import BertConfig, BertForMaskedLM, BertModel

from hf_grok.cli import main
from hf_grok.errors import UserError
from hf_grok.evaluation import find_checkpoints, remote
from hf_grok.evaluation.loading import load
from hf_grok.probes import AttentionUAS, WeightNorm
from hf_grok.runs.folder import RESULTS_FILE
from tests.evaluation.material import ROWS, run_folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return run_folder(tmp_path / "run", [0]) / "checkpoint-0"


def changed(folder: Path, name: str = "config.json", **values: Any) -> None:
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def other_shapes(folder: Path) -> None:
    changed(folder, hidden_size=64)


def unknown_architecture(folder: Path) -> None:
    changed(folder, model_type="nobody_has_heard_of", architectures=["NobodyForCausalLM"])


def packed(folder: Path) -> None:
    changed(folder, quantization_config={"quant_method": "bitsandbytes", "load_in_4bit": True})


def foreign_kernels(folder: Path) -> None:
    changed(folder, _attn_implementation="somebody/kernels", attn_implementation="somebody/kernels")


def code_of_its_own(folder: Path) -> None:
    mark = folder / "was_run"
    code = f"open({str(mark)!r}, 'w').close()\nclass Mine: ...\n"
    (folder / "modeling_mine.py").write_text(code)
    maps = dict.fromkeys(("AutoConfig", "AutoModelForCausalLM"), "modeling_mine.Mine")
    changed(folder, model_type="mine", auto_map=maps)


def pickled_code(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"weight": _Harmful(str(folder / "was_run"))}, folder / "pytorch_model.bin")


class _Harmful:
    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return open, (self.path, "w")


def without_a_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights[sorted(weights)[0]]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def nonsense(folder: Path) -> None:
    changed(folder, num_hidden_layers="many", hidden_size=-1)


def a_list(folder: Path) -> None:
    (folder / "config.json").write_text("[1, 2]")


def half_a_config(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "gpt2", ')


def half_the_weights(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def no_tokenizer(folder: Path) -> None:
    for path in folder.glob("*token*"):
        path.unlink()


def a_broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


BROKEN: list[Callable[[Path], None]] = [
    *(other_shapes, unknown_architecture, packed, foreign_kernels),
    *(code_of_its_own, pickled_code, without_a_weight, nonsense, a_list, half_a_config),
    *(half_the_weights, no_weights, no_tokenizer, a_broken_tokenizer),
]


@pytest.mark.parametrize("spoil", BROKEN)
def test_a_broken_folder_is_one_line_and_nothing_is_run(
    spoil: Callable[[Path], None], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    spoil(folder)
    assert main(["probe", str(folder), "--probes", "norm"]) == 2
    printed = capfd.readouterr()
    lines = printed.err.strip().splitlines()
    assert len(lines) == 1, printed.err
    assert lines[0].startswith("hf-grok probe: ")
    assert str(folder) in lines[0]
    assert len(lines[0]) < 700
    assert not (folder / "was_run").exists()
    assert not (folder / RESULTS_FILE).exists()


def test_a_missing_pooler_is_left_out(tmp_path: Path, folder: Path) -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(vocab_size=20, intermediate_size=32, **sizes)
    BertForMaskedLM(config).bert.save_pretrained(tmp_path / "bert")
    changed(tmp_path / "bert", architectures=["BertModel"])
    for path in folder.glob("*token*"):
        shutil.copy(path, tmp_path / "bert")
    model, _ = load(str(tmp_path / "bert"), None)
    assert isinstance(model, BertModel)
    assert model.pooler is None


def adapted(tmp_path: Path, steps: tuple[int, ...]) -> tuple[Path, dict[int, Any]]:
    """A run that trained an adapter: checkpoints as Trainer leaves them, and their models."""
    peft = pytest.importorskip("peft", reason="adapters are made with peft")
    base = run_folder(tmp_path / "base", [0]) / "checkpoint-0"
    models = {}
    for step in steps:
        bare, tokenizer = load(str(base), None)
        bare.name_or_path = str(base)
        targets = [
            name
            for name, module in bare.named_modules()
            if isinstance(module, torch.nn.Linear) and "lm_head" not in name
        ]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of peft, about libraries of its own
            model = peft.get_peft_model(bare, peft.LoraConfig(r=2, target_modules=targets))
        torch.manual_seed(step)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if "lora_" in name:
                    parameter.copy_(torch.randn_like(parameter))
        checkpoint = tmp_path / "adapted" / f"checkpoint-{step}"
        model.save_pretrained(checkpoint)
        tokenizer.save_pretrained(checkpoint)
        models[step] = model.eval()
    return tmp_path / "adapted", models


def test_a_series_of_adapters_is_measured_on_the_model_that_they_adapt(tmp_path: Path) -> None:
    run, models = adapted(tmp_path, (10, 20))
    found = find_checkpoints(str(run))
    assert [place.step for place in found] == [10, 20]
    assert len({place.identity for place in found}) == 2
    for place in found:
        model, tokenizer = place.load()
        uas = AttentionUAS(ROWS * 2, tokenizer, minimum_count=1)
        assert uas.measure(model) == uas.measure(models[place.step or 0])
        assert WeightNorm().measure(model) == WeightNorm().measure(models[place.step or 0])
        assert not model.training
    assert main(["probe", str(run), "--probes", "norm"]) == 0
    rows = json.loads((run / RESULTS_FILE).read_text())["rows"]
    norms = {row["step"]: row["value"] for row in rows if row["metric"] == "norm_squared"}
    assert norms == {
        step: pytest.approx(WeightNorm().measure(model)["norm_squared"])
        for step, model in models.items()
    }


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"base_model_name_or_path": None}, "names no model that it adapts"),
        (
            {"base_model_name_or_path": "no/where"},
            "load the model no/where, which .*adapts",
        ),
        ({"r": 3}, "could not load .*size mismatch"),
        ({"target_modules": ["nothing_of_the_kind"]}, "could not load .*nothing_of_the_kind"),
    ],
)
def test_an_adapter_that_does_not_fit(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    run, _ = adapted(tmp_path, (10,))
    changed(run / "checkpoint-10", "adapter_config.json", **values)
    (checkpoint,) = find_checkpoints(str(run))
    with pytest.raises(UserError, match=message):
        checkpoint.load()


def test_an_adapter_with_weights_missing(tmp_path: Path) -> None:
    run, _ = adapted(tmp_path, (10,))
    weights = run / "checkpoint-10" / "adapter_model.safetensors"
    kept = load_file(weights)
    del kept[sorted(kept)[0]]
    save_file(kept, weights, metadata={"format": "pt"})
    (checkpoint,) = find_checkpoints(str(run))
    with pytest.raises(UserError, match="has no weights for parts of the adapter"):
        checkpoint.load()
    weights.unlink()
    with pytest.raises(UserError, match=r"an adapter without adapter_model\.safetensors"):
        checkpoint.load()


def test_a_repository_that_cannot_be_asked_for_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise httpx.ConnectError("no route")

    monkeypatch.setattr(HfApi, "list_repo_refs", fails)
    assert main(["probe", "nosuch/model", "--probes", "norm"]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "nosuch/model is no folder here, and the Hub could not be asked" in line


@pytest.mark.parametrize("words", [[], ["--revision", "v1"], ["--revisions", "run-(\\d+)"]])
def test_without_a_network_the_first_call_is_the_last_and_has_a_limit(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[float | None] = []

    def fails(_: HfApi, *__: Any, timeout: float | None = None, **___: Any) -> Any:
        asked.append(timeout)
        raise httpx.ConnectTimeout("no route")

    for name in ("model_info", "list_repo_refs", "list_repo_tree"):
        monkeypatch.setattr(HfApi, name, fails)
    monkeypatch.setattr(remote, "HF_HUB_CACHE", str(tmp_path))
    command = ["probe", "nosuch/model", "--probes", "norm", *words]
    assert main(command) == 2
    assert asked == [remote.PATIENCE]
    said = capsys.readouterr().err
    assert f"no route. The cache ({tmp_path}) does not hold it either" in said
    assert "HF_HUB_OFFLINE=1" in said
    kept = tmp_path / "models--nosuch--model" / "snapshots" / "abc"
    kept.mkdir(parents=True)
    assert main(command) == 2
    assert f"The cache holds it: with HF_HUB_OFFLINE=1, name its folder {kept}" in (
        capsys.readouterr().err
    )

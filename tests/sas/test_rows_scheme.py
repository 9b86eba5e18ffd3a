"""The annotation scheme of training rows: said, found beside a treebank, taken by a Trainer."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.annotation.scheme import write_annotation
from hf_grok.datasets_scripts import Treebank
from hf_grok.errors import UserError
from hf_grok.sas import encode_rows
from hf_grok.sas.batches.packing import pack_rows
from tests.recipes.corpus.books import sentences, write_conllu
from tests.sas.parsed import byte_level_tokenizer, causal, tiny_bert

TOKENIZER = byte_level_tokenizer()


@pytest.fixture
def treebank(tmp_path: Path) -> Treebank:
    file = write_conllu(tmp_path / "trees.conllu", sentences(4))
    return Treebank(file)


def test_a_scheme_is_said_or_found(treebank: Treebank) -> None:
    rows = list(treebank)
    assert encode_rows(treebank, TOKENIZER, progress=False).scheme is None
    write_annotation(Path(treebank.path), {"annotation_scheme": "clearnlp"})
    assert encode_rows(treebank, TOKENIZER, progress=False).scheme == "clearnlp"
    assert pack_rows(treebank, TOKENIZER, 64, progress=False).scheme == "clearnlp"
    assert encode_rows(rows, TOKENIZER, progress=False).scheme is None
    assert encode_rows(rows, TOKENIZER, progress=False, scheme="ud").scheme == "ud"
    assert pack_rows(rows, TOKENIZER, 64, progress=False, scheme="ud").scheme == "ud"
    with pytest.raises(UserError, match="scheme='ud', and the data say that they follow 'clearnlp"):
        encode_rows(treebank, TOKENIZER, progress=False, scheme="ud")
    with pytest.raises(UserError, match="annotation scheme 'UD'"):
        encode_rows(rows, TOKENIZER, progress=False, scheme="UD")


def test_the_trainer_takes_it_from_the_rows(
    treebank: Treebank, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    encoded = encode_rows(list(treebank), TOKENIZER, progress=False, scheme="clearnlp")

    def trainer(**schemes: str) -> SASTrainer:
        arguments = SASTrainingArguments(
            output_dir=str(tmp_path / "run"),
            report_to=[],
            use_cpu=True,
            sas_schedule="0:0.1",
            max_steps=1,
            **schemes,
        )
        return SASTrainer(
            model=tiny_bert(TOKENIZER),
            args=arguments,
            train_dataset=encoded,
            data_collator=causal(TOKENIZER),
            processing_class=TOKENIZER,
        )

    found = trainer(sas_evaluation_scheme="ud")
    assert found.args.sas_scheme == "clearnlp"
    with pytest.raises(UserError, match=r"sas_scheme='ud', and the data say .*'clearnlp'"):
        trainer(sas_scheme="ud")

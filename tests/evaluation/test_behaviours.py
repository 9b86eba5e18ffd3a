"""Accuracy in and out of distribution of saved models, by name: ours, stock, a Hub series."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import HfApi
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from hf_grok.commands.probe import main
from hf_grok.datasets_scripts import Dyck, QuestionFormation
from hf_grok.errors import UserError
from hf_grok.models import word_level_tokenizer
from hf_grok.probes.tasks import DyckBehaviour, QuestionBehaviour, TokenLoss
from hf_grok.runs.folder import RESULTS_FILE
from tests.hub_server.server import HubServer
from tests.probes.matrix import model_of

SAMPLE = ["--sample", "60", "--seed", "3"]


SIZES = {"train_size": 20, "validation_size": 200, "test_size": 200, "generalization_size": 200}
RUN = {"arguments": {"language": "question-formation", "language_options": SIZES}}


@pytest.fixture(scope="module")
def questions() -> Any:
    builder = QuestionFormation(**SIZES)
    builder.download_and_prepare()
    return builder.as_dataset()


def words_of(splits: Any) -> set[str]:
    return {
        word
        for split in ("test", "generalization")
        for text in splits[split]["text"][:]
        for word in text.split()
    }


def save(folder: Path, architecture: str, tokenizer: Any, *, seed: int = 0) -> Any:
    model = model_of(architecture, len(tokenizer), seed=seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # A small language, as the record of a run says.
    (folder / "run.json").write_text(json.dumps(RUN))
    return model


def numbers_of(path: Path, revision: str) -> dict[str, float]:
    rows = json.loads(path.read_text())["rows"]
    return {row["metric"]: row["value"] for row in rows if row["revision"] == revision}


def by_hand(splits: Any, tokenizer: Any, model: Any, **options: Any) -> dict[str, float]:
    """The measure itself on the rows that the command draws: `--sample` of each split."""
    found = {}
    for split, name in (("test", "in_distribution"), ("generalization", "generalization")):
        rows = splits[split]
        drawn = np.random.default_rng(3).choice(len(rows), size=60, replace=False)
        chosen = rows.select(sorted(drawn.tolist()))
        tally = QuestionBehaviour(chosen, tokenizer, **options).tally(model)
        found |= {f"{name}_{key}": value for key, value in tally.ratios().items()}
    return found


def test_every_checkpoint_in_and_out_of_distribution(tmp_path: Path, questions: Any) -> None:
    tokenizer = word_level_tokenizer(words_of(questions))
    saved = {
        step: save(tmp_path / f"checkpoint-{step}", "vanilla", tokenizer, seed=step)
        for step in (0, 10)
    }
    (tmp_path / "run.json").write_text(json.dumps(RUN))
    assert main([str(tmp_path), "--probes", "question_formation", *SAMPLE]) == 0
    path = tmp_path / RESULTS_FILE
    for step, model in saved.items():
        expected = by_hand(questions, tokenizer, model)
        assert numbers_of(path, f"step{step}") == expected
        assert {"in_distribution_accuracy", "generalization_accuracy"} < expected.keys()
        assert "generalization_accuracy_rc_object" in expected
    assert numbers_of(path, "step0") != numbers_of(path, "step10")
    probes = json.loads(path.read_text())["probes"]
    assert probes["generalization"]["data"].startswith("question-formation (generalization, {")
    assert probes["in_distribution"]["data"].endswith("'generalization_size': 200}), 60 rows")


def byte_pairs(texts: Sequence[str], size: int) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer as GPT-2's, which puts no start token in front."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=["<|endoftext|>"], initial_alphabet=letters
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<|endoftext|>")


@pytest.mark.parametrize(("architecture", "start"), [("gpt2", False), ("llama", True)])
def test_another_architecture_with_another_tokenizer(
    architecture: str, start: bool, tmp_path: Path, questions: Any
) -> None:
    tokenizer = byte_pairs(questions["validation"]["text"][:], 600)
    assert len(tokenizer(" doesn't")["input_ids"]) > 1  # the auxiliaries are cut up
    model = save(tmp_path, architecture, tokenizer)
    flags = ["--add-start"] if start else []
    assert main([str(tmp_path), "--probes", "question_formation", *SAMPLE, *flags]) == 0
    found = numbers_of(tmp_path / RESULTS_FILE, "")
    assert found == by_hand(questions, tokenizer, model, add_start=start)
    # And line by line: the likeliest first token among those of the four auxiliaries.
    rows = [row for row in questions["generalization"] if row["source"].endswith("quest")][:20]
    auxiliaries = ("do", "does", "don't", "doesn't")
    before = [tokenizer.bos_token_id] if start else []
    right = 0
    for row in rows:
        ids = [*before, *tokenizer(row["source"])["input_ids"]]
        with torch.no_grad():
            logits = model(torch.tensor([ids])).logits[0, -1]
        first = [tokenizer(f" {word}")["input_ids"][0] for word in auxiliaries]
        best = auxiliaries[int(logits[first].argmax())]
        right += best == row["target"].split()[0]
    tally = QuestionBehaviour(rows, tokenizer, add_start=start).tally(model)
    assert tally["accuracy"] == (right, len(rows))


def test_auxiliaries_that_begin_alike_are_refused(questions: Any) -> None:
    tokenizer = byte_pairs(["x"], 257)  # letters: "do" and "does" begin with one token
    with pytest.raises(UserError, match="begins several of do, does, don't, doesn't with one"):
        QuestionBehaviour(questions["test"].select(range(50)), tokenizer)


@pytest.mark.parametrize(
    ("architecture", "probe", "reason"),
    [
        ("bert", "question_formation", "BertForMaskedLM sees the words on both sides, and Quest"),
        ("bert", "loss", "BertForMaskedLM sees the words on both sides, and TokenLoss"),
        ("gpt2", "masked_loss", "GPT2LMHeadModel sees the words before a place, and MaskedLoss"),
    ],
)
def test_a_model_that_looks_the_other_way_is_refused(
    architecture: str,
    probe: str,
    reason: str,
    tmp_path: Path,
    questions: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    save(tmp_path, architecture, word_level_tokenizer(words_of(questions), mask=True))
    words = [str(tmp_path), "--probes", probe, "--data", "question-formation", *SAMPLE]
    assert main(words) == 1
    assert reason in capsys.readouterr().out


def test_a_tokenizer_that_cuts_brackets_up_is_refused(tmp_path: Path) -> None:
    save(tmp_path, "gpt2", byte_pairs(["(0 )0"], 257))
    (tmp_path / "rows.jsonl").write_text('{"text": "(0 (1 )1 )0"}\n')
    with pytest.raises(UserError, match=r"row 0 has 4 words but \d+ tokens: this measure needs"):
        main([str(tmp_path), "--probes", "dyck", "--data", str(tmp_path / "rows.jsonl")])


def test_a_language_is_measured_as_the_run_had_it(tmp_path: Path) -> None:
    options = {"brackets": 3, "max_depth": 5, "max_length": 30, "train_size": 20}
    sizes = {"validation_size": 5, "test_size": 20, "generalization_size": 20}
    builder = Dyck(**options, **sizes)
    builder.download_and_prepare()
    splits = builder.as_dataset()
    tokenizer = word_level_tokenizer(words_of(splits), append_end=True)
    model = save(tmp_path / "checkpoint-4", "vanilla", tokenizer)
    record = {"arguments": {"language": "dyck", "language_options": {**options, **sizes}}}
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert main([str(tmp_path), "--probes", "dyck"]) == 0
    found = numbers_of(tmp_path / RESULTS_FILE, "step4")
    expected = {
        f"{name}_{key}": value
        for split, name in (("test", "in_distribution"), ("generalization", "generalization"))
        for key, value in DyckBehaviour(splits[split], tokenizer).tally(model).ratios().items()
    }
    assert found == expected
    assert any("distance" in name for name in found)
    # Of another configuration, its strings have brackets that this tokenizer does not know.
    with pytest.raises(UserError, match="does not know the word"):
        main([str(tmp_path), "--probes", "dyck", "--data", "dyck:k6-m4", "--split", "validation"])


def test_one_split_and_rows_of_a_file(tmp_path: Path, questions: Any) -> None:
    tokenizer = word_level_tokenizer(words_of(questions))
    model = save(tmp_path, "gpt2", tokenizer)
    words = [str(tmp_path), "--probes", "question_formation,loss", *SAMPLE]
    main([*words, "--data", "question-formation", "--split", "generalization"])
    found = numbers_of(tmp_path / RESULTS_FILE, "")
    assert "loss" in found
    assert {name.partition("_")[0] for name in found} == {"generalization", "loss"}
    rows = [dict(row) for row in questions["test"].select(range(40))]
    file = tmp_path / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "out.json"
    main([*words[:3], "--data", str(file), "--out", str(out)])
    expected = QuestionBehaviour(rows, tokenizer).tally(model).ratios()
    assert numbers_of(out, "") == {
        **{f"question_formation_{name}": value for name, value in expected.items()},
        **TokenLoss([row["text"] for row in rows], tokenizer).tally(model).ratios(),
    }


def test_two_probes_would_share_their_names(tmp_path: Path) -> None:
    save(tmp_path, "gpt2", word_level_tokenizer(["a"]))
    with pytest.raises(UserError, match="loss and masked_loss would both give the numbers loss_"):
        main([str(tmp_path), "--probes", "loss,masked_loss", "--data", "question-formation"])


def test_a_series_on_the_hub(hub_server: HubServer, tmp_path: Path, questions: Any) -> None:
    tokenizer = word_level_tokenizer(words_of(questions))
    repository = HfApi().create_repo("series").repo_id
    saved = {}
    for step in (0, 8):
        saved[step] = save(tmp_path / str(step), "neox", tokenizer, seed=step)
        HfApi().create_branch(repository, branch=f"step{step}")
        HfApi().upload_folder(
            repo_id=repository, folder_path=tmp_path / str(step), revision=f"step{step}"
        )
    data = tmp_path / "rows"
    for split in ("test", "generalization"):
        questions[split].to_parquet(data / "data" / f"{split}-00000-of-00001.parquet")
    out = tmp_path / "results.json"
    words = [repository, "--probes", "question_formation", "--data", str(data), "--out", str(out)]
    assert main([*words, *SAMPLE]) == 0
    for step, model in saved.items():
        assert numbers_of(out, f"step{step}") == by_hand(questions, tokenizer, model)

"""A recipe on a parsed corpus, from the command line's words to its record."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from hf_grok.errors import UserError
from hf_grok.recipes.arguments import DataArguments, ProbeArguments
from hf_grok.recipes.corpus.load import load_corpus, told_of_corpus
from hf_grok.recipes.corpus.prepare import prepare
from hf_grok.recipes.data.language import LanguageData
from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.train import run
from tests.recipes.corpus.books import (
    RECIPE,
    sentences,
    write_conllu,
    write_lines,
    write_parquet,
)

WITHOUT_DROPOUT = (
    '{"intermediate_size": 32, "max_position_embeddings": 64, "hidden_dropout_prob": 0.0, '
    '"attention_probs_dropout_prob": 0.0}'
)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_parquet(folder / "books", sentences(120))
    write_parquet(folder / "more", [{**row, "document": "more:1"} for row in sentences(20, seed=3)])
    gold = [{**row, "document": ""} for row in sentences(40, seed=5)]
    write_conllu(folder / "gold.conllu", gold)
    write_conllu(folder / "other.conllu", sentences(30, seed=6))
    pairs = [
        pair("The dogs seems .", "The cat seems .", "one"),
        pair("cat running .", "dogs running .", "two"),
    ]
    write_lines(folder / "pairs.jsonl", pairs)
    return folder


def pair(good: str, bad: str, paradigm: str) -> dict[str, str]:
    facts = {"field": "syntax", "linguistics_term": "agreement", "UID": paradigm, "pairID": "0"}
    return {"sentence_good": good, "sentence_bad": bad, **facts}


def words_of(books: Path, **changed: Any) -> list[str]:
    options: dict[str, Any] = {"data": books / "books", **changed}
    words = []
    for name, value in options.items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name}", *map(str, values)] if value is not None else []
    return words


def train(books: Path, out: Path, *, resume: bool = False, **changed: Any) -> Path:
    recipe = books / "tiny.yaml"
    recipe.write_text(RECIPE)
    words = words_of(books, output_dir=out, **changed)
    return run(parse(load_recipe(str(recipe)), words), resume=resume)


def record(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text())
    return found


def rows_logged(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_a_run_from_corpus_to_record(
    books: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    looked_at = [
        f"gold={books / 'gold.conllu'},scheme=ud",
        f"other={books / 'other.conllu'},scheme=ud",
        f"pairs={books / 'pairs.jsonl'}",
    ]
    folder = train(
        books,
        tmp_path / "run",
        data=[f"{books / 'books'},weight=2", books / "more"],
        probe_data=looked_at,
        sparse_prediction=True,
        sas_schedule="0:0.1,4:0",
    )
    info = record(folder)
    facts = info["data"]
    assert facts["documents"] == 6
    assert 1 <= len(facts["held_out"]) < 6
    part = [facts[name]["words"] for name in ("train", "validation")]
    every = [*sentences(120), *sentences(20, seed=3)]
    assert sum(part) == sum(len(row["words"]) for row in every)
    assert facts["train_examples"] > facts["train"]["rows"]
    assert facts["probed"]["pairs"] == 2
    assert info["annotation"] == {"training": "clearnlp", "evaluation": "ud"}
    schemes = {"uas": "ud", "uas_other": "ud", "uas_held_out": "clearnlp"}
    assert facts["schemes"] == schemes
    said = capsys.readouterr().err
    assert "The training arcs follow the annotation scheme clearnlp, the evaluation arcs ud" in said
    assert f"{part[0]:,} words to train on" in said
    last = rows_logged(folder)[-2]
    for name in ("eval_loss", "eval_uas_single_head", "eval_uas_other_single_head"):
        assert np.isfinite(last[name])
    assert {"eval_uas_held_out_single_head", "eval_pairs_accuracy", "eval_norm_l2"} <= last.keys()
    assert any("sas_penalty" in row for row in rows_logged(folder))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert tokenizer.tokenize("The NAIVE cat") == tokenizer.tokenize("the naïve cat")


def test_a_resumed_run_is_the_same_run(books: Path, tmp_path: Path) -> None:
    whole = train(books, tmp_path / "whole", probes="none", sas_schedule="0:-0.1")
    train(books, tmp_path / "cut", probes="none", sas_schedule="0:-0.1", max_steps=4)
    train(books, tmp_path / "cut", probes="none", sas_schedule="0:-0.1", max_steps=8, resume=True)
    ours, theirs = (load_file(path / "model.safetensors") for path in (whole, tmp_path / "cut"))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_logits_at_masked_tokens_alone_are_the_same_training(books: Path, tmp_path: Path) -> None:
    common: dict[str, Any] = {"probes": "none", "model_options": WITHOUT_DROPOUT}
    common |= {"precision": "fp32", "sas_schedule": "0:0.5"}
    runs = [
        train(books, tmp_path / str(sparse), sparse_prediction=sparse, **common)
        for sparse in (True, False)
    ]
    ours, theirs = (load_file(path / "model.safetensors") for path in runs)
    for name in ours:
        torch.testing.assert_close(ours[name], theirs[name], atol=1e-4, rtol=1e-4)
    penalties = [[r["sas_penalty"] for r in rows_logged(p) if "sas_penalty" in r] for p in runs]
    assert penalties[0] == pytest.approx(penalties[1], abs=1e-4)


def test_the_published_setting_starts_and_is_resumed(books: Path, tmp_path: Path) -> None:
    recipe = load_recipe("sas-mlm", "paper")
    small: dict[str, Any] = {
        "tokenizer": "wordpiece",
        "vocabulary_size": 300,
        "row_tokens": 32,
        "layers": 1,
        "hidden_size": 16,
        "heads": 2,
        "model_options": '{"intermediate_size": 32, "max_position_embeddings": 32}',
        "per_device_train_batch_size": 4,
        "max_steps": 20,
        "evaluations": "0,20",
        "checkpoints": "every:10",
        "probes": "none",
        "disable_tqdm": True,
        "use_cpu": True,
        "threads": 1,
    }

    def trained(name: str, *, resume: bool = False) -> dict[str, torch.Tensor]:
        words = words_of(books, output_dir=tmp_path / name, **small)
        run(parse(recipe, words), resume=resume)
        weights: dict[str, torch.Tensor] = load_file(tmp_path / name / "model.safetensors")
        return weights

    whole = trained("whole")
    shutil.copytree(tmp_path / "whole", tmp_path / "cut")
    shutil.rmtree(tmp_path / "cut" / "checkpoint-20")
    (tmp_path / "cut" / "model.safetensors").unlink()
    resumed = trained("cut", resume=True)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


@pytest.mark.parametrize("kind", ["wordpiece", "byte-level-bpe"])
def test_a_causal_model_learns_it_too(kind: str, books: Path, tmp_path: Path) -> None:
    folder = train(
        books,
        tmp_path / "run",
        model="gpt2",
        model_options='{"n_positions": 64}',
        tokenizer=kind,
        sas_schedule="0:0.1",
        probes="uas,norm,intrinsic_dimension",
    )
    last = rows_logged(folder)[-2]
    assert np.isfinite(last["eval_loss"])
    assert "eval_uas_single_head" in last
    assert record(folder)["annotation"] == {"training": "clearnlp", "evaluation": "clearnlp"}
    assert record(folder)["data"]["schemes"] == {"uas": "clearnlp"}


def loaded(books: Path, probes: str = "none", **changed: Any) -> LanguageData:
    arguments = {"vocabulary_size": 300, "row_tokens": 32, "validation_share": 0.2, **changed}
    data = DataArguments(data=[str(books / "books")], **arguments)
    return load_corpus(data, ProbeArguments(probes=probes), masked=True, with_arcs=True)


def test_what_is_not_read_is_said(books: Path) -> None:
    """Rows of 12 tokens cut what is longer; rows of 32 hold every sentence of these books."""
    assert len(told_of_corpus(loaded(books))) == 1
    cut = loaded(books, row_tokens=12)
    facts = cut.facts["train"]
    every = loaded(books).facts["train"]["words"]
    assert facts["words"] + facts["words_cut"] == every
    share = facts["words_cut"] / every
    arcs = facts["arcs"]
    lost = arcs["cut"] / (arcs["cut"] + arcs["arcs"])
    assert 0.01 < share < lost
    assert told_of_corpus(cut)[1] == (
        f"{facts['words_cut']} more words ({share:.1%}) and {lost:.1%} of the arcs are cut off, of "
        "sentences longer than a row: a larger --row_tokens reads them"
    )
    left_out = {"train": {**facts, "words_cut": 0, "left_out": 3}}
    told = told_of_corpus(replace(cut, facts={**cut.facts, **left_out}))
    assert told[1].startswith("3 sentences are left out: the tokenizer makes no token")


def test_batches_hold_the_rows_and_their_arcs(books: Path) -> None:
    found = loaded(books)
    corpus = prepare(
        DataArguments(
            data=[str(books / "books")], vocabulary_size=300, row_tokens=32, validation_share=0.2
        ),
        masked=True,
    )
    stored = corpus.part("train")
    assert found.train.words is not None
    assert found.train.words.sum() == corpus.facts["train"]["words"]
    found.train.set_epoch(3)
    batch = found.train.batch([4, 0])
    starts = np.cumsum(stored.tokens) - stored.tokens
    for at, row in enumerate((4, 0)):
        ids = stored.column("ids")[starts[row] : starts[row] + stored.tokens[row]]
        seen = torch.where(batch["labels"][at] == -100, batch["input_ids"][at], batch["labels"][at])
        assert seen[: len(ids)].tolist() == ids.tolist()
        words = " ".join(corpus.vocabulary[form] for form in stored.row_forms(row))
        assert found.tokenizer(words)["input_ids"] == ids.tolist()
    assert batch["arc_heads"].dtype == torch.int64
    assert (batch["arc_heads"] >= 0).sum() > 0
    assert len(batch["arc_word_of"][0]) == batch["input_ids"].shape[1]


def test_what_is_prepared_once_is_found_again(books: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = loaded(books)
    monkeypatch.setattr("hf_grok.recipes.corpus.tokenizers.train_tokenizer", None)
    assert loaded(books).fingerprint == first.fingerprint
    with pytest.raises(TypeError):
        loaded(books, vocabulary_size=301)


def test_validation_data_of_its_own(books: Path, tmp_path: Path) -> None:
    rows = [{**row, "document": "own:1"} for row in sentences(10, seed=9)]
    own = write_parquet(tmp_path / "own", rows)
    found = loaded(books, validation_data=[str(own)])
    assert found.facts["held_out"] == []
    assert found.facts["validation"]["words"] == sum(len(row["words"]) for row in rows)
    with pytest.raises(UserError, match=r"5 documents are in --data and in --validation_data"):
        loaded(books, validation_data=[str(books / "books"), str(own)])


def test_a_pretrained_tokenizer(books: Path, tmp_path: Path) -> None:
    loaded(books).tokenizer.save_pretrained(tmp_path / "own")
    assert loaded(books, tokenizer=str(tmp_path / "own")).facts["vocabulary"] <= 300
    plain = AutoTokenizer.from_pretrained(tmp_path / "own")
    plain.mask_token = None
    plain.save_pretrained(tmp_path / "without")
    with pytest.raises(UserError, match="has no mask token, which a masked language model"):
        loaded(books, tokenizer=str(tmp_path / "without"))
    with pytest.raises(UserError, match=r"'nowhere' is none of wordpiece, byte-level-bpe"):
        loaded(books, tokenizer="nowhere")


def test_a_corpus_without_heads(books: Path, tmp_path: Path) -> None:
    rows = [{"words": row["words"], "document": row["document"]} for row in sentences(60)]
    bare = write_lines(tmp_path / "bare.jsonl", rows)
    folder = train(books, tmp_path / "run", data=bare, probes="default")
    assert "eval_uas_single_head" not in rows_logged(folder)[-2]
    with pytest.raises(UserError, match=r"bare.jsonl has no columns heads and deprels"):
        train(books, tmp_path / "sas", data=bare, sas_schedule="0:0.1")


def test_corpora_of_two_schemes(books: Path, tmp_path: Path) -> None:
    other = write_parquet(tmp_path / "ud", sentences(10, seed=8), scheme="ud")
    with pytest.raises(UserError, match="heads of several annotation schemes cannot be"):
        train(books, tmp_path / "run", data=[books / "books", other])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": None}, r"neither is named: say --data FOLDER .*or --language"),
        ({"language": "agreement"}, r"language=agreement and data=.*: leave one away"),
        ({"row_tokens": 4}, "row_tokens=4: expected 8 at least"),
        ({"row_tokens": 128}, r"a training line has .* tokens and bert has 64 positions"),
        (
            {"tokenizer": "wordpiece", "vocabulary_size": 10},
            "a tokenizer of 10 tokens: expected 261",
        ),
        ({"probe_data": ["gold"]}, r"probe_data 'gold': expected NAME=FILE"),
        ({"probe_data": ["a=nowhere.conllu"]}, "there is no file nowhere.conllu"),
        ({"probes": "pairs"}, r"probe pairs has nothing to look at: name a file of minimal pairs"),
        ({"probes": "usa"}, "unknown probe 'usa'"),
        (
            {"model": "gpt2", "model_options": "{}", "sparse_prediction": "true"},
            "sparse_prediction is",
        ),
        ({"data": None, "language": "agreement", "probe_data": ["a=b"]}, "only a run on a corpus"),
    ],
)
def test_values_that_do_not_do(
    changed: dict[str, Any], message: str, books: Path, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        train(books, tmp_path / "run", **changed)

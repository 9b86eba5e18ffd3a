"""Builders as `datasets` sees them: columns, seeds, processes, caches, sizes."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import datasets
import pytest

from hf_grok.datasets_scripts import QuestionFormation, TenseInflection
from hf_grok.datasets_scripts.builder import base as builder_module
from hf_grok.datasets_scripts.builder.cache_key import digest
from hf_grok.datasets_scripts.builder.splits import distinct
from hf_grok.datasets_scripts.builder.task_sentences import SentenceBuilder
from hf_grok.errors import UserError

KINDS = [QuestionFormation, TenseInflection]
SIZES = {"train_size": 120, "validation_size": 7, "test_size": 40, "generalization_size": 40}
SIZES_BY_SPLIT = ["train", "validation", "test", "generalization"]


def prepared(kind: type[SentenceBuilder], num_proc: int | None = None, **options: Any) -> Any:
    builder = kind(**(SIZES | options))
    builder.download_and_prepare(num_proc=num_proc)
    return {split: rows.to_list() for split, rows in builder.as_dataset().items()}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_and_information(kind: type[SentenceBuilder]) -> None:
    builder = kind(**SIZES)
    builder.download_and_prepare()
    rows = builder.as_dataset()
    assert {split: len(part) for split, part in rows.items()} == {
        "train": 120,
        "validation": 7,
        "test": 40,
        "generalization": 40,
    }
    features = rows["train"].features
    assert list(features) == [
        *("text", "source", "target", "task", "words", "upos", "deprels", "heads"),
        *("spans", "tree", "main_index", "subject_modifier"),
    ]
    assert features["task"].names == list(builder.language.tasks)
    assert features["spans"] == datasets.List(datasets.List(datasets.Value("int32")))
    assert features["subject_modifier"].names == [
        *("none", "pp", "rc_subject_intransitive", "rc_subject_transitive", "rc_object")
    ]
    assert builder.config.version == builder.VERSION == builder.info.version
    assert builder.info.description
    assert "mccoy2020" in builder.info.citation
    words = {word for part in rows.values() for text in part["text"][:] for word in text.split()}
    assert words <= set(builder.vocabulary)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_as_the_library_would_encode_them(kind: type[SentenceBuilder]) -> None:
    builder = kind(**SIZES)
    plain = datasets.Features(dict(builder.info.features))
    for example in builder.examples("generalization"):
        assert plain.encode_example(builder.row(example)) == builder.row(example)


@pytest.mark.parametrize("kind", KINDS)
def test_gold_structures_are_well_formed(kind: type[SentenceBuilder]) -> None:
    builder = kind(**SIZES)
    for example in builder.examples("train"):
        row = builder.row(example)
        length = len(row["words"])
        assert sorted(row["heads"])[:2] == [0, min(h for h in row["heads"] if h)]
        assert row["deprels"][row["heads"].index(0)] == "root"
        for word in range(1, length + 1):
            seen = set()
            while word:
                assert word not in seen
                seen.add(word)
                word = row["heads"][word - 1]
        assert row["spans"] == spans_of(row["tree"])
        assert len(row["spans"]) == length - 2  # n leaves have n - 1 inner nodes; no period


def spans_of(tree: str) -> list[list[int]]:
    """Spans of a bracketed tree, in the order of their opening brackets."""
    spans: list[list[int]] = []
    open_spans: list[list[int]] = []
    words = 0
    for token in tree.replace("(", " ( ").replace(")", " ) ").split():
        if token == "(":
            open_spans.append([words])
            spans.append(open_spans[-1])
        elif token == ")":
            open_spans.pop().append(words)
        else:
            words += 1
    return spans


# From Python 3.12 on, forking beside torch's threads warns.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_rows_whatever_the_number_of_processes(
    kind: type[SentenceBuilder], tmp_path: Path
) -> None:
    one = prepared(kind, cache_dir=tmp_path / "one")
    assert prepared(kind, num_proc=2, cache_dir=tmp_path / "two") == one


def test_the_seed_decides() -> None:
    first, same, other = (
        [example.source for example in QuestionFormation(**SIZES, seed=seed).examples("train")]
        for seed in (0, 0, 1)
    )
    assert first == same
    assert len(set(first) & set(other)) < 20


def test_a_split_does_not_depend_on_the_size_of_train() -> None:
    sources = [
        [
            example.source
            for example in QuestionFormation(**(SIZES | {"train_size": size})).examples("test")
        ]
        for size in (0, 50)
    ]
    assert sources[0] == sources[1]


def test_size_zero_leaves_a_split_out() -> None:
    assert set(prepared(TenseInflection, validation_size=0, test_size=0)) == {
        "train",
        "generalization",
    }


def test_known_first_lines() -> None:
    """Raise VERSION when this changes: published data would be another."""
    first = next(QuestionFormation("default").examples("generalization"))
    assert first.source == (
        "your salamander who doesn't eat does confuse the orangutans upon my quail . quest"
    )
    first = next(TenseInflection("default").examples("generalization"))
    assert first.source == (
        "some walrus who accepted some newts accepted the walrus that some quail comforted . "
        "PRESENT"
    )


# SHA-256 of what version 1.0.0 made at the sizes of `test_version_one_is_kept`.
OF_VERSION_ONE = {
    (QuestionFormation, "default"): "fe438d8d4aa5fe11",
    (QuestionFormation, "main"): "95ba75654fae5b2a",
    (TenseInflection, "default"): "79bf6f881e5380a1",
    (TenseInflection, "main"): "a47e11d548907fec",
}


@pytest.mark.parametrize(("kind", "config"), OF_VERSION_ONE)
def test_version_one_is_kept(kind: type[SentenceBuilder], config: str) -> None:
    """Data of published series: what "default" was is "grammar", the others by their option."""
    sizes = {"train_size": 2_000, "validation_size": 100, "test_size": 400}
    name = "grammar" if config == "default" else config
    made = kind(name, distribution="grammar", generalization_size=1_500, **sizes)
    total = hashlib.sha256()
    for split in made.splits:
        for row in map(made.row, made.examples(split)):
            annotation = f"{row['tree']}{row['heads']}{row['deprels']}"
            total.update(f"{row['text']}{annotation}\n".encode())
    assert total.hexdigest()[:16] == OF_VERSION_ONE[kind, config]


def test_splits_are_the_same_in_any_order_of_asking() -> None:
    """What is remembered of splits that were drawn changes none that is drawn after them."""
    alone = {s: [*TenseInflection(**SIZES).examples(s)] for s in SIZES_BY_SPLIT}
    together = TenseInflection(**SIZES)
    assert alone == {s: [*together.examples(s)] for s in reversed(SIZES_BY_SPLIT)}
    part = QuestionFormation(**SIZES)
    next(part.examples("train"))  # not drawn to its end: nothing to remember
    assert [*part.examples("test")] == [*QuestionFormation(**SIZES).examples("test")]


class Shouting(QuestionFormation):
    """Another builder of the same module name and configs as `Whispering`."""

    def row(self, example: Any) -> dict[str, Any]:
        row = super().row(example)
        return row | {"text": row["text"].upper()}


class Whispering(QuestionFormation):
    """Two builders of one module: `datasets` alone would give them one cache."""


def test_no_two_builders_share_a_cache() -> None:
    texts = {kind: prepared(kind)["train"][0]["text"] for kind in (Whispering, Shouting)}
    assert texts[Whispering].upper() == texts[Shouting] != texts[Whispering]
    assert QuestionFormation().cache_dir != TenseInflection().cache_dir


def test_changed_code_is_another_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = QuestionFormation(**SIZES)
    before.download_and_prepare()
    monkeypatch.setattr(builder_module, "source_digest", lambda *_: "changed")
    after = QuestionFormation(**SIZES)
    after.download_and_prepare()
    assert before.cache_dir != after.cache_dir
    fingerprints = [made.as_dataset("train")._fingerprint for made in (before, after)]
    assert fingerprints[0] != fingerprints[1]
    module = tmp_path / "grammar.py"
    module.write_text("WEIGHT = 1")
    old = digest([module])
    module.write_text("WEIGHT = 2")
    assert digest([module]) != old


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config_name": "man"}, "unknown config of QuestionFormation 'man'.*Did you mean 'main'"),
        ({"train_sise": 3}, "unknown option of QuestionFormation 'train_sise'.*'train_size'"),
        ({"train_size": None}, "train_size must have a value"),
        ({"train_size": -1}, "train_size must be a whole number, 0 or more; got -1"),
        ({"test_size": 2.5}, "test_size must be a whole number"),
        ({"seed": True}, "seed must be a whole number"),
        (dict.fromkeys(SIZES, 0), "every split has size 0"),
        ({"rule": "frist"}, "unknown rule 'frist'.*Did you mean 'first'"),
        (
            {"distribution": "realeased"},
            "unknown distribution 'realeased'.*Did you mean 'released'",
        ),
        ({"disambiguating_rule": "ambiguous"}, "unknown disambiguating_rule 'ambiguous'"),
        ({"disambiguating_examples": 121}, "121 of the training lines, but train_size is 120"),
        ({"config_name": "main", "disambiguating_examples": 1}, "disambiguate that rule already"),
        # The numbers are those of test_counts_by_hand.
        (
            {"config_name": "grammar", "generalization_size": 23_193_299_909_521},
            "generalization: asked for 23,193,299,909,521 .* the language has 23,193,299,909,520",
        ),
        ({"train_size": 10**14}, "train, validation and test: .* language has 75,479,661,123,984"),
        (
            {"train_size": 7 * 10**13, "disambiguating_examples": 7 * 10**13},
            "disambiguating and generalization: .* has 61,783,003,163,232",
        ),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        QuestionFormation(**(SIZES | options))


def test_counts_by_hand() -> None:
    base, verbs, auxiliaries = 6 * 13, 9, 2
    clause = 2 * 2 * base * auxiliaries * verbs  # Rel, embedded subject of either number
    relative = 2 * auxiliaries * verbs * (1 + 2 * base) + clause
    phrase = base * (1 + 8 * 2 * base + relative)
    predicate = auxiliaries * verbs * (1 + 2 * phrase)
    builder = QuestionFormation()
    assert builder.language.grammar.count() == 2 * phrase * predicate
    disambiguating = 2 * base * relative * predicate
    assert builder.distinct_examples("train") == 4 * phrase * predicate - disambiguating
    same_number = relative - clause // 2
    # No relative clause in the object of a released generalization line.
    without = auxiliaries * verbs * (1 + 2 * (phrase - base * relative))
    assert builder.distinct_examples("generalization") == base * same_number * without
    of_grammar = QuestionFormation("grammar")
    assert of_grammar.distinct_examples("train") == builder.distinct_examples("train")
    assert of_grammar.distinct_examples("generalization") == base * same_number * predicate
    with pytest.raises(UserError, match="unknown split 'dev'"):
        builder.distinct_examples("dev")


def test_draws_that_bring_nothing_new_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_grok.datasets_scripts.builder.splits.PATIENCE", 50)
    found = distinct(lambda index: index % 3, 9, {1}, lambda item: item, "tiny split")
    with pytest.raises(UserError, match="tiny split: asked for 9 distinct examples, but after 1 "):
        list(found)


def test_the_package_imports_without_datasets() -> None:
    code = (
        "import sys, hf_grok.datasets_scripts as room; "
        "sys.exit('datasets' in sys.modules or not set(room.__all__) <= set(dir(room)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

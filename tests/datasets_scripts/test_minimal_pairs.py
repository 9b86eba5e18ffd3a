"""Minimal pairs: the good sentence is in the grammar, the bad one is not, and little differs."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import datasets
import pytest

from hf_grok.datasets_scripts import Agreement, MinimalPairs, read_minimal_pairs
from hf_grok.datasets_scripts.english_agreement.lexicon import LEXICON
from hf_grok.datasets_scripts.english_agreement.paradigms import (
    OTHER_NUMBER,
    OTHER_POLARITY,
    PARADIGMS,
)
from hf_grok.datasets_scripts.export.parquet import export
from hf_grok.datasets_scripts.minimal_pairs import write_minimal_pairs
from hf_grok.datasets_scripts.readers.minimal_pairs import FIELDS
from hf_grok.errors import UserError
from tests.datasets_scripts.english_agreement.recogniser import in_the_grammar

Row = dict[str, Any]
PAIRS = 40
THIRD_PERSON = {"does"}.union(*(LEXICON[f"{verb}[sg][fin]"].forms for verb in ("Vi", "Vt")))
PHENOMENA = {
    "subject_verb_agreement": "morphology",
    "determiner_noun_agreement": "morphology",
    "anaphor_agreement": "morphology",
    "filler_gap_dependency": "syntax",
    "npi_licensing": "semantics",
    "argument_structure": "syntax",
}


@pytest.fixture(autouse=True)
def _no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@cache
def paradigms() -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in MinimalPairs(pairs_per_paradigm=PAIRS).examples("test"):
        found[row["UID"]].append(row)
    return found


def differences(row: Row) -> list[tuple[int, str, str]]:
    """Place, good and bad word wherever the sentences of a pair differ; as many words in both."""
    good, bad = (row[name].split(" ") for name in ("sentence_good", "sentence_bad"))
    words = enumerate(zip(good, bad, strict=True))
    return [(place, one, other) for place, (one, other) in words if one != other]


def number_of(word: str) -> str | None:
    for number in ("sg", "pl"):
        if word in LEXICON[f"N[{number}]"].forms:
            return number
    return None


def test_every_paradigm_has_its_pairs_and_fields() -> None:
    assert list(paradigms()) == list(PARADIGMS)
    for uid, rows in paradigms().items():
        assert [row["pairID"] for row in rows] == [str(number) for number in range(PAIRS)]
        assert len({(row["sentence_good"], row["sentence_bad"]) for row in rows}) == PAIRS
        for row in rows:
            assert tuple(row) == FIELDS
            assert all(isinstance(value, str) for value in row.values())
            assert row["UID"] == uid
            assert PHENOMENA[row["linguistics_term"]] == row["field"]
    assert {rows[0]["linguistics_term"] for rows in paradigms().values()} == set(PHENOMENA)


@pytest.mark.parametrize("uid", PARADIGMS)
def test_good_is_in_the_grammar_and_bad_is_not(uid: str) -> None:
    for row in paradigms()[uid]:
        assert in_the_grammar(row["sentence_good"]), row
        assert not in_the_grammar(row["sentence_bad"]), row
        assert 5 <= len(row["sentence_good"].split()) <= 40


@pytest.mark.parametrize("uid", PARADIGMS)
def test_one_word_differs_or_two_where_a_negation_moves(uid: str) -> None:
    vocabulary = set(Agreement().vocabulary)
    for row in paradigms()[uid]:
        assert len(differences(row)) == (2 if uid == "npi_scope" else 1)
        assert set(row["sentence_good"].split()) | set(row["sentence_bad"].split()) <= vocabulary


@pytest.mark.parametrize("uid", [uid for uid in PARADIGMS if uid.startswith("subject_verb")])
def test_verbs_differ_in_number_alone_and_attractors_have_the_other(uid: str) -> None:
    for row in paradigms()[uid]:
        ((place, good, bad),) = differences(row)
        assert OTHER_NUMBER[good] == bad
        words = row["sentence_good"].split()
        nouns = [number_of(word) for word in words[:place] if number_of(word)]
        wanted = "sg" if good in THIRD_PERSON else "pl"
        if "inside" in uid:
            nouns.reverse()
        assert nouns[0] == wanted
        assert len(nouns) == (1 if uid == "subject_verb_bare" else 2)
        assert set(nouns[1:]) <= {"sg", "pl"} - {wanted}


@pytest.mark.parametrize("uid", ["determiner_noun", "determiner_noun_with_adjective"])
def test_nouns_differ_in_number_after_a_determiner_that_has_one(uid: str) -> None:
    for row in paradigms()[uid]:
        ((place, good, bad),) = differences(row)
        assert {number_of(good), number_of(bad)} == {"sg", "pl"}
        assert OTHER_NUMBER[good] == bad
        words = row["sentence_good"].split()
        adjectives = int(uid.endswith("adjective"))
        own = {"sg": "this each every another", "pl": "these those several many"}
        assert words[place - 1 - adjectives] in own[number_of(good) or ""].split()
        if adjectives:
            assert words[place - 1] in LEXICON["Adj"].forms


def test_anaphors_differ_in_number_or_in_gender() -> None:
    for uid in ("anaphor_number", "anaphor_number_across_rc"):
        for row in paradigms()[uid]:
            ((_, good, bad),) = differences(row)
            assert (good == "themselves") != (bad == "themselves")
            assert {good, bad} <= {"himself", "herself", "itself", "themselves"}
    seen = Counter(differences(row)[0][1:] for row in paradigms()["anaphor_gender"])
    assert {word for pair in seen for word in pair} == {"himself", "herself", "itself"}


def test_the_wrong_plural_anaphor_still_has_its_nouns_gender() -> None:
    for row in paradigms()["anaphor_number_across_rc"]:
        ((_, good, bad),) = differences(row)
        if good == "themselves":
            noun = row["sentence_good"].split()[1]
            singular = row["sentence_bad"].replace(f" {noun} ", f" {OTHER_NUMBER[noun]} ", 1)
            # With a singular subject, that reflexive would be the right one.
            singular = singular.replace(singular.split()[0], "the", 1)
            singular = singular.replace(" don't ", " doesn't ").replace(" do ", " does ")
            assert in_the_grammar(singular), singular
            assert bad != "themselves"


def test_negations_are_missing_or_out_of_place() -> None:
    negative = {"doesn't", "don't", "can't", "won't", "mustn't", "shouldn't"}
    for row in paradigms()["npi_negation"]:
        ((_, good, bad),) = differences(row)
        assert good in negative
        assert OTHER_POLARITY[good] == bad
        assert {"ever", "any", "anymore"} & set(row["sentence_good"].split())
    for row in paradigms()["npi_scope"]:
        (_, relative, moved), (_, main, missing) = differences(row)
        assert {main, moved} <= negative
        assert not {relative, missing} & negative


@pytest.mark.parametrize(
    ("uid", "good_kind", "bad_kind"),
    [
        ("transitive_without_object", "Vi", "Vt"),
        ("intransitive_with_object", "Vt", "Vi"),
        ("transitive_with_two_objects", "Vd", "Vt"),
        ("transitive_with_clause", "Vc", "Vt"),
        ("missing_gap", "Vt", "Vi"),
        ("missing_filler", "Vi", "Vt"),
    ],
)
def test_verbs_of_another_kind_have_the_same_form(uid: str, good_kind: str, bad_kind: str) -> None:
    for row in paradigms()[uid]:
        ((_, good, bad),) = differences(row)
        shapes = {
            form for form in ("[sg][fin]", "[pl][fin]") if good in LEXICON[good_kind + form].forms
        }
        assert shapes
        assert all(bad in LEXICON[bad_kind + form].forms for form in shapes)


def test_a_filled_gap_has_a_determiner_for_the_preposition() -> None:
    for row in paradigms()["filled_gap"]:
        ((_, good, bad),) = differences(row)
        assert good in LEXICON["Prep"].forms
        assert bad in LEXICON["Det[pl]"].forms


def prepare(cache_dir: Path, *, num_proc: int | None = None, **options: Any) -> list[Row]:
    builder = MinimalPairs(cache_dir=cache_dir, **({"pairs_per_paradigm": 5} | options))
    builder.download_and_prepare(num_proc=num_proc)
    return builder.as_dataset("test").to_list()


# From Python 3.12 on, forking beside torch's threads warns.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_neither_processes_nor_other_paradigms_change_a_pair(tmp_path: Path) -> None:
    one = prepare(tmp_path / "one")
    assert len(one) == 5 * len(PARADIGMS)
    assert prepare(tmp_path / "two", num_proc=2) == one
    chosen = prepare(tmp_path / "some", paradigms="npi_scope, determiner_noun")
    assert chosen == [row for row in one if row["UID"] in ("determiner_noun", "npi_scope")]
    more = prepare(tmp_path / "more", pairs_per_paradigm=7, paradigms="npi_scope")
    assert more[:5] == [row for row in one if row["UID"] == "npi_scope"]
    other = prepare(tmp_path / "seed", seed=1)
    assert [row["UID"] for row in other] == [row["UID"] for row in one]
    assert other != one


def test_every_paradigm_has_a_random_stream_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    names: list[str] = []
    stream = MinimalPairs.stream

    def recorded(self: MinimalPairs, name: str) -> random.Random:
        names.append(name)
        return stream(self, name)

    monkeypatch.setattr(MinimalPairs, "stream", recorded)
    assert len(list(MinimalPairs(pairs_per_paradigm=1).examples("test"))) == len(PARADIGMS)
    assert sorted(names) == sorted(PARADIGMS)


def test_default_size() -> None:
    builder = MinimalPairs()
    assert builder.splits == ("test",)
    assert builder.config.size("test") == 1_000 * len(PARADIGMS)
    assert builder.config.size("train") == 0


def test_known_pair() -> None:
    """Raise VERSION when this changes: published data would be another."""
    row = next(MinimalPairs(paradigms="subject_verb_across_object_rc").examples("test"))
    assert (row["sentence_good"], row["sentence_bad"]) == KNOWN


KNOWN = (
    "your waiters who our raven forgives thrive .",
    "your waiters who our raven forgives thrives .",
)


def test_files_as_blimp_is_distributed(tmp_path: Path) -> None:
    rows = [row for own in paradigms().values() for row in own]
    files = write_minimal_pairs(rows, tmp_path / "pairs")
    assert [file.name for file in files] == [f"{uid}.jsonl" for uid in PARADIGMS]
    read = read_minimal_pairs(files)
    assert read == rows
    assert sorted(map(str, read_minimal_pairs(tmp_path / "pairs"))) == sorted(map(str, rows))


def test_the_probe_takes_the_rows(tmp_path: Path) -> None:
    from hf_grok.models import word_level_tokenizer
    from hf_grok.probes import MinimalPairAccuracy

    builder = MinimalPairs(cache_dir=tmp_path, pairs_per_paradigm=3)
    builder.download_and_prepare()
    probe = MinimalPairAccuracy(
        builder.as_dataset("test"), word_level_tokenizer(builder.vocabulary)
    )
    assert len(probe) == 3 * len(PARADIGMS)


def test_export_has_a_card_and_is_read_back(tmp_path: Path) -> None:
    builder = MinimalPairs(cache_dir=tmp_path / "cache", pairs_per_paradigm=4)
    export(builder, tmp_path / "out")
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "No pair stands twice in a paradigm." in readme
    first = builder.as_dataset("test")[0]
    assert f"test: {first['sentence_good']} / {first['sentence_bad']}" in readme
    assert "hf-grok data minimal-pairs --config default --pairs-per-paradigm 4 --out DIR" in readme
    read = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "read"))
    assert read["test"].to_list() == builder.as_dataset("test").to_list()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"config_name": "big"}, "unknown config of MinimalPairs 'big': expected one of default"),
        ({"pairs": 3}, "unknown option of MinimalPairs 'pairs': .*pairs_per_paradigm"),
        ({"pairs_per_paradigm": 0}, "pairs_per_paradigm must be at least 1, got 0"),
        ({"pairs_per_paradigm": 2.5}, "pairs_per_paradigm must be a whole number"),
        ({"seed": -1}, "seed must be a whole number, 0 or more; got -1"),
        ({"paradigms": "npi_scop"}, "unknown paradigm 'npi_scop': .*Did you mean 'npi_scope'"),
        ({"paradigms": ""}, "unknown paradigm ''"),
        ({"paradigms": ["npi_scope"]}, r"paradigms must be UIDs separated by commas; got \['npi"),
        ({"data_files": {"test": "x"}}, "MinimalPairs are generated: .* read_minimal_pairs"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        MinimalPairs(**options)


def test_more_pairs_than_there_are_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hf_grok.datasets_scripts.builder.splits.PATIENCE", 50)
    monkeypatch.setitem(
        PARADIGMS,
        "determiner_noun",
        PARADIGMS["determiner_noun"]._replace(spoil=lambda good: None),
    )
    builder = MinimalPairs(paradigms="determiner_noun")
    with pytest.raises(UserError, match="determiner_noun: asked for 1,000 distinct examples"):
        list(builder.examples("test"))

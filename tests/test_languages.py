"""Every language of ours fits what is said of it: builder, behaviour, probes, heads, card."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_grok.annotation.scheme import check_scheme
from hf_grok.datasets_scripts import Dyck, QuestionFormation
from hf_grok.datasets_scripts.builder.base import GrammarBuilder
from hf_grok.errors import UserError
from hf_grok.languages import (
    OURS,
    Language,
    card_of,
    known_languages,
    language,
    load,
    name_of,
    trained_language,
)
from hf_grok.model_cards.languages import DYCK
from hf_grok.probes import probe_names
from hf_grok.probes.tasks import Behaviour


class Unlisted(Dyck):
    """A builder that no language names."""


@pytest.mark.parametrize("name", OURS)
def test_what_is_said_of_a_language_is_so(name: str, tmp_path: Path) -> None:
    one = OURS[name]
    builder_class = one.builder_class()
    assert issubclass(builder_class, GrammarBuilder)
    assert name_of(builder_class) == name
    builder = builder_class(cache_dir=tmp_path)
    features = builder.info.features
    assert set(one.card.columns) == set(features)
    assert set(one.card.splits) == set(builder.splits)
    assert "{" not in "".join(one.card.columns.values())
    assert bool(one.scheme) == ("heads" in features)
    assert not one.scheme or check_scheme(one.scheme)
    assert not one.task or one.task in features["task"].names
    assert not one.behaviour or issubclass(load(one.behaviour), Behaviour)
    assert set(one.probes) <= set(probe_names())
    assert ("pairs" in one.probes) == bool(one.pairs)
    assert not one.pairs or OURS[one.pairs].is_pairs
    assert one.is_pairs == ("sentence_good" in features)


def test_by_name() -> None:
    assert language("dyck") is OURS["dyck"]
    assert card_of("dyck") is DYCK
    assert card_of("wikitext") is None
    assert list(known_languages())[: len(OURS)] == list(OURS)
    assert name_of(QuestionFormation) == "question-formation"
    with pytest.raises(UserError, match=r"unknown language 'dyk'.*Did you mean 'dyck'"):
        language("dyk")


def test_nothing_is_trained_on_pairs() -> None:
    assert trained_language("agreement").pairs == "minimal-pairs"
    with pytest.raises(UserError, match=r"minimal-pairs holds pairs .* name another --language"):
        trained_language("minimal-pairs")


def test_a_builder_of_no_language_has_no_card() -> None:
    with pytest.raises(UserError, match=r"test_languages.Unlisted is the builder of no language"):
        name_of(Unlisted)


@pytest.mark.parametrize("home", ["hf_grok.datasets_scripts.dyck:Duck", "nowhere:Dyck", "Dyck", ""])
def test_a_class_that_is_not_there_is_named(home: str) -> None:
    with pytest.raises(UserError, match=f"'{home}', expected as module:Class, cannot be loaded"):
        Language(builder=home, card=DYCK).builder_class()

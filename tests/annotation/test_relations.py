"""ClearNLP's relations by UD's names."""

from __future__ import annotations

from typing import Any

import pytest
from datasets import Dataset

from hf_grok.annotation.relations import TO_UD, WITHOUT, check_target, in_ud, rows_in_ud
from hf_grok.errors import UserError

# The labels of the parser of spaCy's en_core_web_sm 3.8.0, as its meta.json lists them.
SPACY = """
ROOT acl acomp advcl advmod agent amod appos attr aux auxpass case cc ccomp compound conj csubj
csubjpass dative dep det dobj expl intj mark meta neg nmod npadvmod nsubj nsubjpass nummod oprd
parataxis pcomp pobj poss preconj predet prep prt punct quantmod relcl xcomp
"""
# https://universaldependencies.org/u/dep/
UNIVERSAL = """
acl advcl advmod amod appos aux case cc ccomp clf compound conj cop csubj dep det discourse
dislocated expl fixed flat goeswith iobj list mark nmod nsubj nummod obj obl orphan parataxis punct
reparandum root vocative xcomp
"""
ROW = {
    "words": ["He", "was", "seen", "by", "her", "."],
    "heads": [3, 3, 0, 3, 4, 3],
    "deprels": ["nsubjpass", "auxpass", "ROOT", "agent", "pobj", "punct"],
}
NAMED = ["nsubj:pass", "aux:pass", "root", "clearnlp:agent", "clearnlp:pobj", "punct"]


def test_every_relation_is_in_the_table_once_and_its_name_is_uds() -> None:
    assert set(TO_UD) | set(WITHOUT) == {*SPACY.split(), "root"}
    assert not set(TO_UD) & set(WITHOUT)
    assert {name.partition(":")[0] for name in TO_UD.values()} <= set(UNIVERSAL.split())


def test_a_relation_of_the_same_name_that_means_another_is_not_taken_for_it() -> None:
    assert in_ud(["nmod", "dobj", "", "_"], "row 0") == ["clearnlp:nmod", "obj", "", "_"]


@pytest.mark.parametrize("kind", [list, Dataset.from_list])
def test_rows_keep_their_heads_and_get_other_names(kind: Any) -> None:
    rows = kind([ROW])
    (named,) = list(rows_in_ud(rows, "clearnlp"))
    assert dict(named) == {**ROW, "deprels": NAMED}
    assert rows[0]["deprels"] == ROW["deprels"]
    assert rows_in_ud(rows, "ud") is rows


@pytest.mark.parametrize(
    ("row", "scheme", "message"),
    [
        (ROW, None, "scheme of these data is not recorded: say scheme=clearnlp or ud"),
        (ROW, "sud", "scheme of these data is sud: expected clearnlp or ud"),
        ({"words": ["a"]}, "clearnlp", "the rows have no column deprels"),
        ({**ROW, "deprels": ["obj"] * 6}, "clearnlp", "row 0: 'obj' is no relation of the scheme"),
    ],
)
def test_what_cannot_be_named(row: dict[str, Any], scheme: str | None, message: str) -> None:
    with pytest.raises(UserError, match=message):
        rows_in_ud([row], scheme)


def test_there_is_a_table_into_ud_alone() -> None:
    assert check_target("ud") == "ud"
    with pytest.raises(UserError, match="relations=clearnlp: expected ud"):
        check_target("clearnlp")

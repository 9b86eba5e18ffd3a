"""What a person wrote survives; what is ours is written anew; nothing is guessed."""

from __future__ import annotations

import pytest
import yaml

from hf_grok.errors import UserError
from hf_grok.model_cards.preserved import (
    BEGINS,
    ENDS,
    join_readme,
    merge,
    merge_metadata,
    split_readme,
    written_by_a_person,
)

RENDERED = join_readme(
    {"library_name": "transformers", "tags": ["hf-grok"]},
    f"\n# Title\n\n{BEGINS}\n{ENDS}\n\nOurs.\n",
)


def with_text(text: str, front: str = "tags:\n- hf-grok\n") -> str:
    return f"---\n{front}---\n\n# Old\n\n{BEGINS}\n{text}\n{ENDS}\n\nOld words.\n"


def test_a_first_page_is_what_was_rendered() -> None:
    assert merge(RENDERED, None) == RENDERED
    assert merge(RENDERED, " \n") == RENDERED


@pytest.mark.parametrize(
    "text",
    [
        "One line.",
        "# A heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n\n\ntwo blank lines above",
        "    indented first\n```python\nx = '---'\n```",
        "---\nlicense: mit\n---",
        "<!-- a comment of theirs -->",
        f"in a line: {BEGINS} is not a marker",
        r"\1 \g<0> {{ jinja }} {% raw %}",
    ],
)
def test_the_text_survives_every_push_as_it_is(text: str) -> None:
    page = with_text(text)
    for _ in range(3):
        page = merge(RENDERED, page)
        assert f"{BEGINS}\n{text}\n{ENDS}" in page
        assert "Ours." in page
        assert "Old words." not in page
        assert page.count("# Title") == 1


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    old = "\ufeff" + with_text("Mine.\nToo.").replace("\n", "\r\n")
    assert f"{BEGINS}\nMine.\nToo.\n{ENDS}" in merge(RENDERED, old)


def test_several_passages_are_joined_in_order() -> None:
    body = f"{BEGINS}\na\n{ENDS}\nours\n  {BEGINS}  \nb\n{ENDS}\n{BEGINS}\n\n{ENDS}\n"
    assert written_by_a_person(body) == "a\n\nb"
    assert written_by_a_person(f"{BEGINS}\n{ENDS}") == ""
    assert written_by_a_person("# nothing") is None


def test_a_readme_that_is_not_ours_is_kept_whole() -> None:
    old = "---\nlicense: mit\nwidget:\n- text: a\n---\n# Mine\n\nWords.\n"
    page = merge(RENDERED, old)
    assert f"{BEGINS}\n# Mine\n\nWords.\n{ENDS}" in page
    metadata, _ = split_readme(page)
    assert metadata["license"] == "mit"
    assert metadata["widget"] == [{"text": "a"}]
    assert metadata["library_name"] == "transformers"
    assert merge(RENDERED, page) == page


def test_a_readme_of_metadata_alone_leaves_no_text() -> None:
    page = merge(RENDERED, "---\nlicense: mit\n---\n")
    assert f"{BEGINS}\n{ENDS}" in page
    assert split_readme(page)[0]["license"] == "mit"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (f"a\n{BEGINS}\nb", r"yours begins -->' without its .*ends.*line 2"),
        (f"{ENDS}\n", r"yours ends -->' without its .*begins.*line 1"),
        (f"{BEGINS}\n{BEGINS}\n{ENDS}", r"line 2"),
        (f"{BEGINS}\n{ENDS}\n{ENDS}", r"line 3"),
    ],
)
def test_a_marker_without_its_partner_is_named(body: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        merge(RENDERED, f"---\ntags: []\n---\n{body}")


@pytest.mark.parametrize(
    ("front", "message"), [("a: [", "not YAML"), ("- a\n- b", "no mapping.*got a list")]
)
def test_broken_metadata_is_an_error(front: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        merge(RENDERED, f"---\n{front}\n---\nwords")


def test_metadata_of_both() -> None:
    result = {"task": {"type": "t"}}
    ours = {
        "license": "unknown",
        "tags": ["hf-grok", "dyck"],
        "model-index": [{"name": "run", "results": [1]}],
        "pipeline_tag": "fill-mask",
    }
    theirs = {
        "license": "mit",
        "license_name": None,
        "tags": ["mine", "dyck"],
        "thumbnail": "a.png",
        "pipeline_tag": "text-generation",
        "model-index": [{"name": "run", "results": [0]}, {"name": "other", "results": [result]}],
    }
    assert merge_metadata(ours, theirs) == {
        "license": "mit",
        "license_name": None,
        "tags": ["hf-grok", "dyck", "mine"],
        "thumbnail": "a.png",
        "pipeline_tag": "fill-mask",
        "model-index": [
            {"name": "run", "results": [1]},
            {"name": "other", "results": [result]},
        ],
    }
    assert merge_metadata({"tags": ["a"]}, {"tags": "b"}) == {"tags": ["a", "b"]}


def test_taking_apart_and_putting_together() -> None:
    metadata = {"a": "yes: no", "b": ["#", "'", "é", "2026-01-01"], "c": {"d": None}}
    assert split_readme(join_readme(metadata, "\nbody\n---\n")) == (metadata, "\nbody\n---\n")
    assert split_readme("# none\n---\na: b\n---\n") == ({}, "# none\n---\na: b\n---\n")
    assert split_readme("---\n---\nbody") == ({}, "body")
    assert yaml.safe_load(join_readme({"license": "no"}, "").split("---")[1]) == {"license": "no"}


@pytest.mark.parametrize("name", ["[x]", "{a: b}", "", ".nan", "7"])
def test_results_of_other_models_are_kept_whatever_their_names_are(name: str) -> None:
    front = f"model-index:\n- name: {name}\n  results: [1]\n"
    ours = join_readme({"model-index": [{"name": "run", "results": []}]}, RENDERED.split("---")[2])
    metadata, _ = split_readme(merge(ours, with_text("mine", front)))
    assert len(metadata["model-index"]) == 2
    assert metadata["model-index"][1]["results"] == [1]


def test_aliases_that_would_fill_the_memory_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    with pytest.raises(UserError, match="its aliases make more than 100,000 values of it"):
        merge(RENDERED, with_text("mine", "\n".join(lines) + "\n"))

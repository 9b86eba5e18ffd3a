"""The card: its values change nothing but themselves, and nothing is left unsaid."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hf_grok.errors import UserError
from hf_grok.model_cards import DatasetCard, SplitFacts, problems
from hf_grok.model_cards.dataset_card import size_category
from hf_grok.model_cards.languages import DYCK, QUESTION_FORMATION
from hf_grok.model_cards.markdown import code, environment, fenced, plain


def split(name: str, **changes: Any) -> SplitFacts:
    facts = SplitFacts(name, 1_200, 6.25, 9, "(1 )1 (1 )1", {"task": {"decl": 0.6, "quest": 0.4}})
    return dataclasses.replace(facts, **changes)


def card(**changes: Any) -> DatasetCard:
    facts = DatasetCard(
        language=DYCK,
        config="k2-m3",
        columns={"text": "string", "depth": "int32"},
        splits=[split("train"), split("generalization", examples=300)],
        arguments={"seed": 3, "brackets": 2},
        changed=("seed",),
        command="hf-grok data dyck --seed 3 --out DIR",
        sources={},
        generator="hf-grok 9.9, generator dyck 1.0.0",
        metadata={"configs": [{"config_name": "k2-m3"}]},
    )
    return dataclasses.replace(facts, **changes)


def front_matter(text: str) -> dict[str, Any]:
    _, front, _ = text.split("---\n", 2)
    loaded = yaml.safe_load(front)
    assert isinstance(loaded, dict)
    return loaded


def test_every_fact_is_on_the_card() -> None:
    text = card().render()
    for expected in (
        "# Dyck language: k2-m3",
        "| `train` | 1,200 | 6.2 | 9 | distinct draws from the automaton |",
        "| `generalization` | 300 |",
        "| `depth` | int32 | the most brackets open at once |",
        "| `task` | `quest` | 40.0 | 40.0 |",
        "| `seed` | `3` | changed from the named configuration |",
        "| `brackets` | `2` | |",
        "hf-grok 9.9, generator dyck 1.0.0",
        "```bash\nhf-grok data dyck --seed 3 --out DIR\n```",
        'load_dataset("PATH", "k2-m3")',
        "Apache License 2.0",
        "arXiv:2305.18741",
    ):
        assert expected in text
    assert text == card().render()
    assert "\n\n\n" not in text


def test_whole_text() -> None:
    path = Path(__file__).parent / "golden" / "dataset.md"
    text = card(origin={"package": "hf-grok", "arguments": {"seed": 3}}, repo_id="a/b").render()
    assert text == path.read_text(encoding="utf-8")
    assert problems(text, "dataset") == []


def test_front_matter() -> None:
    front = front_matter(card().render())
    assert front["license"] == "apache-2.0"
    assert front["size_categories"] == "1K<n<10K"
    assert {"hf-grok", "dyck"} <= set(front["tags"])
    assert front["configs"] == [{"config_name": "k2-m3"}]
    assert "language" not in front
    sentences = card(language=QUESTION_FORMATION, columns={"text": "string"})
    assert front_matter(sentences.render())["language"] == "en"


def test_read_files_are_not_given_our_licence() -> None:
    text = card(sources={"train": ["a|b.tsv"]}).render()
    assert front_matter(text)["license"] == "unknown"
    assert "read from a|b.tsv" not in text
    assert r"read from a\|b.tsv" in text
    assert "Apache" not in text


NASTY = '</td><script>alert("x")</script> | *a* `b` [c](d) \n---\n# e ``` ~~~ $f$ &amp;'


def test_no_value_breaks_out() -> None:
    clean = card().render()
    nasty = card(
        config=NASTY.replace("\n", " "),
        arguments={NASTY: NASTY},
        generator=NASTY,
        command=NASTY,
        splits=[split("train", example=NASTY)],
    ).render()
    outside = re.sub(r"(?m)^<!-- (?:Written|hf-grok:) [^<>]* -->$", "", _without_code(nasty))
    assert "<" not in re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", outside)
    assert [line for line in outside.splitlines() if line.startswith("#")][1:] == [
        line for line in _without_code(clean).splitlines() if line.startswith("#")
    ][1:]
    rows = [line for line in outside.splitlines() if line.startswith("| ````</td>")]
    assert [row.replace(r"\|", "").count("|") for row in rows] == [4]
    assert front_matter(nasty)["pretty_name"] == "Dyck language"


def _without_code(text: str) -> str:
    """The body outside fenced blocks, by the rule that a fence ends at one as long."""
    kept, fence = [], ""
    for line in text.split("---\n", 2)[2].splitlines():
        ticks = line[: len(line) - len(line.lstrip("`"))]
        if fence:
            fence = "" if line == fence else fence
        elif len(ticks) >= 3:
            fence = ticks
        else:
            kept.append(line)
    assert not fence
    return "\n".join(kept)


def test_escapes_by_hand() -> None:
    assert plain("a_b <i>*c*</i>\n# d|e") == r"a\_b &lt;i&gt;\*c\*&lt;/i&gt; \# d\|e"
    assert code("a`b") == "``a`b``"
    assert code("`a`") == "`` `a` ``"
    assert code("a|b\nc") == r"`a\|b c`"
    assert fenced("a\n```\nb") == "````\na\n```\nb\n````"
    assert fenced("x", "bash") == "```bash\nx\n```"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"columns": {"deepness": "int32"}},
            "unknown column of a card 'deepness'.*the Language",
        ),
        ({"splits": [split("dev")]}, "unknown split of a card 'dev': .*validation"),
    ],
)
def test_what_the_facts_do_not_name_is_an_error(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        card(**changes).render()


def test_a_value_that_the_template_misses_is_an_error() -> None:
    import jinja2

    with pytest.raises(jinja2.UndefinedError):
        environment().from_string("{{ card.title }}").render(card=card())


@pytest.mark.parametrize(
    ("examples", "name"),
    [(999, "n<1K"), (1_000, "1K<n<10K"), (121_000, "100K<n<1M"), (1_000_000, "1M<n<10M")],
)
def test_size_categories(examples: int, name: str) -> None:
    assert size_category(examples) == name

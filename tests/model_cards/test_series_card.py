"""The cards of a series and its steps, as whole texts; no value changes more than itself."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from hf_grok.errors import UserError
from hf_grok.model_cards import (
    AnnotationFacts,
    CostFacts,
    DataFacts,
    Figure,
    ModelFacts,
    NamedStep,
    RegulariserFacts,
    SeriesCard,
    StepCard,
    TrainingFacts,
    problems,
)
from hf_grok.version import __version__
from tests.model_cards.cards import full_card, plain_card, step

GOLDEN = Path(__file__).parent / "golden"
NASTY = (
    "</td><script>x</script> | *a* `b` [c](d) \n---\n# e ``` ~~~ $f$ &amp; {{ g }} "
    "\"h\" 'i' : - !j <!-- hf-grok: yours begins -->"
)

ROW = r"\|(?: (?:(?:\\[|]|[^|\n])+ )?\|)+\n"
TABLE = rf"{ROW}\|(?:-+:?\|)+\n(?:{ROW})*\n|\| \| \|\n\|---\|-+:?\|\n(?:{ROW})+\n"
SECTIONS = (
    (
        "Load a step",
        r"(?P<python>`{3,})python\n(?:.*\n)+?(?P=python)\n\nWithout .*\n\n"
        r"```bash\nhf-grok verify .*\n```\n\n`hf-grok` is a Python package\. .*\n\n",
    ),
    (
        "Steps",
        rf"(?:<details>\n<summary>All \d+ steps</summary>\n\n)?(?:{TABLE})(?:</details>\n\n)?"
        r'(?:No results .*\n\n|"-": .*\n\n)?(?:Scores that .*:\n\n(?:- .*\n)+\n)?'
        r"(?:!\[.*\]\(\S+\)\n\n.*\n\n)*",
    ),
    ("Model", rf"(?:{TABLE})"),
    (
        "Data",
        rf"(?:{TABLE})(?:The same data, .*:\n\n(?P<bash>`{{3,}})bash\n(?:.*\n)+?(?P=bash)\n\n)?"
        rf"(?:### Annotation\n\n(?:{TABLE})"
        r"(?:(?:\*\*The two differ\.\*\*|One of the two) .*\n\n)?)?",
    ),
    (
        "Training",
        rf".*\.\n\n(?:The hyper.*\n\n|Every setting is.*\n\n|Every setting that.*:\n\n(?:{TABLE}))"
        rf"(?:Settled by .*:\n\n(?:{TABLE}))?(?:{TABLE})(?:.*\.\n\n)?"
        rf"(?:### Branched from another run\n\n(?:{TABLE}))?",
    ),
    ("Regulariser", rf"The loss .*\n\n(?:{TABLE})"),
    ("Cost", rf"(?:{TABLE})Wall time .*\n\n"),
    ("Limitations", r"(?:- .*\n){3,}\n"),
    ("Licence", r".*\n\n"),
    ("Citation", r"(?:- .*\n)+\n(?:```bibtex\n(?:.*\n)+?```\n\n?)+"),
)
OPTIONAL = ("Regulariser",)


def pattern() -> re.Pattern[str]:
    """The whole card: every line of it is of a kind that is named here."""
    head = (
        r"---\n(?:[^\n]+\n)+---\n\n<!-- Written by hf-grok\. .* -->\n\n"
        r"# .+\n\nA training run .*\n\n"
        r"(?:English .*\n\n)?<!-- hf-grok: yours begins -->\n<!-- hf-grok: yours ends -->\n\n"
    )
    sections = [
        rf"(?:## {title}\n\n{body}){'?' if title in OPTIONAL else ''}" for title, body in SECTIONS
    ]
    return re.compile(head + "".join(sections))


def golden(name: str, text: str) -> None:
    """Compare with the kept text; HF_GROK_WRITE_GOLDEN=1 keeps the new one, to be looked at."""
    path = GOLDEN / f"{name}.md"
    shown = text.replace(f"{{{__version__}}}", "{VERSION}")
    if os.environ.get("HF_GROK_WRITE_GOLDEN"):
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8")


def hostile_card() -> SeriesCard:
    text = {NASTY: NASTY}
    return SeriesCard(
        title=NASTY,
        model=ModelFacts(NASTY, NASTY, text, 3, base_model="a/b"),
        data=DataFacts(
            *(NASTY, NASTY, text, NASTY, "c/d", NASTY, 3, text), split=NASTY, described=NASTY
        ),
        training=TrainingFacts(
            NASTY, text, text, {NASTY: 1}, text, NASTY, 3, 4, "2026-11-25T08:51:09", NASTY
        ),
        steps=[
            NamedStep(
                *(2, NASTY),
                metrics={"loss": 1.5, f"eval_{NASTY}": 0.5},
                lambda_=0.1,
                tokens_seen=7,
            )
        ],
        cost=CostFacts(1.0, 2.0, NASTY, 3),
        repo_id="e/f",
        regulariser=RegulariserFacts(text),
        annotation=AnnotationFacts(NASTY, "other"),
        parent=text,
        figures=[Figure("a) b.png", NASTY)],
        licence=NASTY,
        limitations=[NASTY],
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("series", full_card().render()),
        ("series_of_a_plain_trainer", plain_card().render()),
        ("step", StepCard(full_card(), 1000).render()),
    ],
)
def test_whole_texts(name: str, text: str) -> None:
    golden(name, text)
    assert problems(text) == []


@pytest.mark.parametrize(
    "card",
    [
        full_card(),
        plain_card(),
        plain_card(steps=[step(number) for number in range(50)]),
        plain_card(training=TrainingFacts(settings={}), parent={"run": "a", "step": 3}),
        full_card(repo_id=None, regulariser=None, licence=None, figures=()),
        full_card(licence="other", annotation=AnnotationFacts(None, "UD")),
        hostile_card(),
    ],
    ids=["full", "plain", "long", "branched", "unpushed", "other licence", "hostile"],
)
def test_every_line_is_of_a_known_kind(card: SeriesCard) -> None:
    text = card.render()
    assert pattern().fullmatch(text), text
    assert "\n\n\n" not in text
    assert text == card.render()


def test_the_pattern_can_fail() -> None:
    text = full_card().render()
    assert not pattern().fullmatch(text.replace("## Cost", "## Costs"))
    assert not pattern().fullmatch(text + "more\n")
    assert not pattern().fullmatch(text.replace("| task |", "| task | more\nlines |"))


def test_no_value_breaks_out() -> None:
    text = hostile_card().render()
    body = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", text.split("\n---\n", 1)[1])
    prose = re.sub(r"(`+)(?!`).+?(?<!`)\1(?!`)", "", body)
    tags = ["<!-- Written by", "<!-- hf-grok: yours begins -->", "<!-- hf-grok: yours ends -->"]
    for tag in tags:
        assert prose.count(tag) == 1
    assert prose.count("<") == len(tags)
    assert body.count("yours begins") == 1
    for header, *rows in _tables(body):
        cells = _cells(header)
        assert all(_cells(row) == cells for row in rows), rows
    shown = [line for line in prose.splitlines() if line.startswith("#")]
    assert len(shown) == len(set(shown)) == 13
    name = ModelCard(text).data.model_name
    assert name is not None
    assert name.startswith("</td><script>")


def _tables(body: str) -> list[list[str]]:
    groups, current = [], list[str]()
    for line in [*body.splitlines(), ""]:
        if line.startswith("|"):
            current.append(line)
        elif current:
            groups.append(current)
            current = []
    return groups


def _cells(row: str) -> int:
    return len(re.findall(r"(?<!\\)\|", row)) - 1


def test_the_machine_and_tokens_stay_out() -> None:
    token = "hf_" + "A1b2C3d4" * 5
    settings = {
        "config": "/home/lovelace/models/base",
        "note": f"with {token}",
        "dirs": ["/tmp/q/w"],
    }
    card = full_card(training=TrainingFacts(settings=settings), title=f"/srv/runs/{token}")
    for text in (card.render(), StepCard(card, 100).render()):
        assert token not in text
        assert not re.search(r"lovelace|/home|/tmp|/srv", text)
    assert '| `dirs` | `["w"]` |' in card.render()


def test_snippets_run_as_they_stand() -> None:
    for card in (full_card(), plain_card(), plain_card(repo_id="a/b")):
        compile(card.load_lines(card.steps[0]), "card", "exec")
    assert "import hf_grok.models" not in plain_card().render()
    assert 'repo, step = "REPO", "step10"' in plain_card().render()


def test_steps_are_sorted_and_each_stands_once() -> None:
    assert [facts.step for facts in full_card().steps] == [0, 100, 1000]
    for wrong in ([], [step(3), step(3)]):
        with pytest.raises(UserError, match="needs its steps, each once"):
            plain_card(steps=wrong)
    with pytest.raises(UserError, match="no step 7: it has 0, 10"):
        StepCard(plain_card(), 7)


@pytest.mark.parametrize("name", ["a b", "a/b; rm -r x", "/abs", "a/b/c", "$(x)", "", 'a"b'])
def test_a_repository_stands_in_commands_that_strangers_copy(name: str) -> None:
    with pytest.raises(UserError, match="expected a repository of the Hub"):
        plain_card(repo_id=name)


@pytest.mark.parametrize("path", ["/a.png", "../a.png", "a/../../b.png", "", "C:\\a.png", "~/a"])
def test_a_figure_lies_in_the_repository(path: str) -> None:
    with pytest.raises(UserError, match="expected a path inside the repository"):
        Figure(path, "x")


def test_what_is_not_known_is_said() -> None:
    text = plain_card().render()
    for said in (
        "| began with | not recorded |",
        "| training examples | not recorded |",
        "The hyper-parameters were not recorded.",
        "| training | not recorded |",
        "| wall time | not recorded |",
        "| energy, emissions | not measured |",
        "None was given.",
        "data that was not recorded",
    ):
        assert said in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": "finished", "step": 20, "max_steps": 20}, "Trained to step 20 of 20 planned."),
        ({"status": "failed", "step": 12}, "Stopped by an error at step 12."),
        ({"status": "running", "max_steps": 5000}, "Still training: at step 10 of 5,000 planned."),
        ({}, "Trained to step 10."),
    ],
)
def test_how_far_it_went(changes: dict[str, Any], said: str) -> None:
    card = plain_card(training=dataclasses.replace(TrainingFacts(), **changes))
    assert card.training_status() == said
    assert said in card.render()


def test_annotation_schemes_that_differ_are_a_warning() -> None:
    assert "**The two differ.**" in full_card().render()
    same = full_card(annotation=AnnotationFacts("UD", "UD")).render()
    assert "### Annotation" in same
    assert "The two differ" not in same
    assert "### Annotation" not in full_card(annotation=AnnotationFacts()).render()
    unknown = full_card(annotation=AnnotationFacts(None, "UD")).render()
    assert "| trained with | not recorded |" in unknown
    assert "whether they are the same is not known" in unknown


def test_a_step_shows_what_its_scores_must_beat() -> None:
    """And a step without such scores has no empty column for them."""
    assert "| UAS, best heads | 0.510 | 0.817: the best" in StepCard(full_card(), 1000).render()
    assert "| | |\n|---|---:|\n| step | 0 |\n" in StepCard(full_card(), 0).render()
    assert "| step | 100 |\n| tokens" in StepCard(full_card(), 100).render()

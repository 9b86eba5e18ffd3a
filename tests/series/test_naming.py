"""Steps and the names of their revisions."""

from __future__ import annotations

import pytest

from hf_grok.series import RevisionTemplate, SeriesError, known_step


@pytest.mark.parametrize("text", ["step{step}", "ckpt/{step}", "run-a-step{step}-end"])
def test_there_and_back(text: str) -> None:
    template = RevisionTemplate(text)
    for step in (0, 7, 143_000):
        assert template.step(template.revision(step)) == step


@pytest.mark.parametrize("text", ["chck_{words}", "{tokens}-read"])
def test_names_by_words_there_and_back(text: str) -> None:
    template = RevisionTemplate(text)
    for amount in (0, 10**6, 10**8, 1_500_000, 1_000_037):
        name = template.revision(amount)
        assert (template.number(name), template.step(name)) == (amount, None)
    assert RevisionTemplate("chck_{words}").revision(10**7) == "chck_10M"
    for other in ("main", "chck_01M", "chck_1000K", "chck_1.5M", "chck_"):
        assert RevisionTemplate("chck_{words}").number(other) is None


@pytest.mark.parametrize(
    "name", ["main", "step", "step-1", "step01", "step1x", "xstep1", "step1.5", "step²"]
)
def test_other_names_are_no_steps(name: str) -> None:
    assert RevisionTemplate().step(name) is None


@pytest.mark.parametrize(
    "text",
    [
        "step",
        "{step}{step}",
        "a b{step}",
        "a/../{step}",
        "{step}/",
        "-{step}",
        "{steps}",
        "{step}-{words}",
        "{words}{words}",
    ],
)
def test_bad_templates(text: str) -> None:
    with pytest.raises(SeriesError, match="revision template"):
        RevisionTemplate(text)


def test_tags_are_no_steps_themselves() -> None:
    template = RevisionTemplate()
    assert template.step(template.tag(5)) is None
    assert known_step(template.tag(5)) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("step1000", ("", 1000)),
        ("step-2", ("", 2)),
        ("step_30", ("", 30)),
        ("step1000-tokens4B", ("", 1000)),
        ("stage1-step1000-tokens3B", ("stage1", 1000)),
        ("stage2-ingredient3-step500-tokens1B", ("stage2-ingredient3", 500)),
        ("checkpoint-12", ("", 12)),
    ],
)
def test_names_of_published_series(name: str, expected: tuple[str, int]) -> None:
    found = known_step(name)
    assert found is not None
    assert (found.stage, found.step) == expected


@pytest.mark.parametrize("name", ["main", "steps", "step5-old", "v1", "old-step5", "step"])
def test_names_of_something_else(name: str) -> None:
    assert known_step(name) is None

"""Whose names say a step, and what the number in them counts."""

from __future__ import annotations

import pytest

from hf_grok.errors import UserError
from hf_grok.series import NameReader, RevisionTemplate, known_step
from hf_grok.series.verify.schedule_gaps import missing_steps


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("step1000", ("", 1000, "steps")),
        ("step-001000-2BT", ("", 1000, "steps")),
        ("step-002000-4BT", ("", 2000, "steps")),
        ("step-50K-105b", ("", 50_000, "steps")),
        ("step-1431k-3T", ("", 1_431_000, "steps")),
        ("step_0.5k", ("", 500, "steps")),
        ("stage1-step-40000", ("stage1", 40_000, "steps")),
        ("lc-4k-to-32k-step-4000", ("lc-4k-to-32k", 4000, "steps")),
        ("stage2-ingredient1-step100-tokens1B", ("stage2-ingredient1", 100, "steps")),
        ("step1250-seed-small-aux-2", ("seed-small-aux-2", 1250, "steps")),
        ("seed-3-step20", ("seed-3", 20, "steps")),
        ("global_step95000", ("", 95_000, "steps")),
        ("iter_0010000", ("", 10_000, "steps")),
        ("iter-150000-ckpt", ("", 150_000, "steps")),
        ("phase1_checkpoint_055500", ("phase1", 55_500, "steps")),
        ("anneal-step12", ("anneal", 12, "steps")),
        ("chck_1M", ("", 1_000_000, "words")),
        ("chck_1000M", ("", 1_000_000_000, "words")),
        ("words-10M", ("", 10_000_000, "words")),
        ("tokens-4B", ("", 4_000_000_000, "tokens")),
        ("100M_tokens", ("", 100_000_000, "tokens")),
        ("2BT", ("", 2_000_000_000, "tokens")),
        ("ckpt_000", ("", 0, "checkpoints")),
        ("ckpt_358", ("", 358, "checkpoints")),
        ("epoch-3", ("", 3, "epochs")),
    ],
)
def test_names_of_published_series(name: str, expected: tuple[str, int, str]) -> None:
    found = known_step(name)
    assert found is not None
    assert (found.stage, found.step, found.unit) == expected


@pytest.mark.parametrize(
    "name",
    [
        *("main", "v1", "v1.0", "7B", "step", "steps", "step5-old", "old-step5", "step1-2"),
        *("step1.5", "step\u0663", "chck_M", "refs/pr/1", "step1000-", "model-step"),
        *("step" + "9" * 5000, "it-soup-APO", "2025-01-31", "fp16", "ckpt_10B", "0" * 4000),
    ],
)
def test_names_of_something_else(name: str) -> None:
    assert known_step(name) is None


def test_a_whole_repository() -> None:
    names = ["main", "step10", "step-002", "chck_1M", "notes", "v1", "stage1-step3", "step10"]
    read = NameReader().read(names)
    assert list(read.steps) == ["step-002", "step10", "stage1-step3", "chck_1M"]
    assert read.left_out == ("notes", "v1")
    said = read.what_is_left_out()
    assert said is not None
    assert "2 of 6 branches and tags are left out" in said
    assert "notes, v1" in said
    assert NameReader().read(["main", "step1"]).what_is_left_out() is None
    many = NameReader().read([f"x{number:03}" for number in range(900)]).what_is_left_out()
    assert many is not None
    assert "x000, x001" in many
    assert "more; --revisions" in many
    hostile = NameReader().read(["x\x1b[2J", "y\u202e"]).what_is_left_out()
    assert hostile is not None
    assert hostile.isprintable()


def test_a_template_says_which_are_ours() -> None:
    reader = NameReader(RevisionTemplate("ckpt-{step}"))
    read = reader.read(["main", "ckpt-5", "ckpt-10", "step3", "pinned-ckpt-5"])
    assert {name: (step.step, step.unit) for name, step in read.steps.items()} == {
        "ckpt-5": (5, "steps"),
        "ckpt-10": (10, "steps"),
    }
    assert read.left_out == ("step3",)  # a tag that pins a step is nothing to tell of


def test_a_pattern_of_one_s_own() -> None:
    reader = NameReader(pattern=r"run-a-(\d+k?)(?:-ema)?")
    read = reader.read(["main", "run-a-2k-ema", "run-a-30", "run-b-30", "step5"])
    assert [(name, step.step) for name, step in read.steps.items()] == [
        ("run-a-30", 30),
        ("run-a-2k-ema", 2000),
    ]
    assert read.left_out == ("run-b-30", "step5")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("run-(", "no regular expression"),
        (r"run-\d+", "it has 0"),
        (r"(run)-(\d+)", "it has 2"),
        (r"run-(.*)", "expected to be a number"),
        (r"run-(x)?.*", "its group is None"),
    ],
)
def test_patterns_that_are_refused(pattern: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        NameReader(pattern=pattern).read(["run-a"])


def test_another_distance_is_no_row_of_holes() -> None:
    """BabyLM: every million words, then every ten, then every hundred."""
    words = [*range(1, 10), *range(10, 100, 10), *range(100, 1001, 100)]
    assert missing_steps([1_000_000 * number for number in words]) == []
    assert missing_steps([n for n in range(0, 50, 5) if n != 20]) == [20]

"""No token, no path of the machine and no marker gets through; everything else does."""

from __future__ import annotations

import pytest

from hf_grok.model_cards import Figure, NamedStep, StepFacts
from hf_grok.model_cards.preserved import BEGINS, ENDS
from hf_grok.model_cards.scrub import scrub, scrubbed
from tests.model_cards.cards import full_card

TOKEN = "hf_" + "AbCdEf0123456789" * 2


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (f"--token {TOKEN}.", "--token (token removed)."),
        (f"https://user:{TOKEN}@huggingface.co/x", "https://user:(token removed)@huggingface.co/x"),
        ("hf_oauth_eyJhb.GciOi-J_x", "(token removed)"),
        ("api_org_" + "A" * 20, "(token removed)"),
        ("/home/ada/my runs/seed 1", "seed 1"),
        ("/home/ada/run/", "run"),
        ("~/run", "run"),
        ("~ada/run/b", "b"),
        ("C:\\Users\\ada\\run", "run"),
        ("C:/Users/ada/run b", "run b"),
        ("\\\\host\\share\\run", "run"),
        ("out=/tmp/x/run, next", "out=run, next"),
        ('{"path": "/tmp/x/run"}', '{"path": "run"}'),
        ("(/tmp/x/run)", "(run)"),
        ("</tmp/x/run>", "<run>"),
        ("model:/tmp/x/run", "model:run"),
        ("see file:///tmp/x/run.txt", "see run.txt"),
        ("could not open D:\\a\\b.txt now", "could not open b.txt now"),
        (BEGINS, "(marker removed)"),
        (f"x\n{ENDS}\ny", "x\n(marker removed)\ny"),
        ("<!--hf-grok: yours", "(marker removed)"),
    ],
)
def test_what_must_not_stand_there(text: str, clean: str) -> None:
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "a / b",
        "1/3 and/or",
        "user/name",
        "figures/a.png",
        "https://huggingface.co/user/name/tree/step1",
        "hf_grok, hf_hub_download",
        "~5",
        "constant_with_warmup",
        "0:0.1,3000:0.1->0@500",
        "a\\_b",
        "<!-- a comment -->",
        "<b>bold</b> <br/>",
    ],
)
def test_what_stays(text: str) -> None:
    assert scrub(text) == text


def test_every_string_inside_is_scrubbed_and_the_kinds_stay() -> None:
    value = {"/a/b": [TOKEN, ("/c/d", 3)], "n": None, "f": 0.5}
    assert scrubbed(value) == {"b": ["(token removed)", ("d", 3)], "n": None, "f": 0.5}
    facts = NamedStep(3, "/a/step3", metrics={"eval_loss": 1.0})
    assert scrubbed(facts) == NamedStep(3, "step3", metrics={"eval_loss": 1.0})


def test_the_old_name_of_a_step_says_the_new_one() -> None:
    with pytest.warns(FutureWarning, match="StepFacts is now NamedStep.*penalty_weight is lambda_"):
        facts = StepFacts(3, "step3", {"eval_loss": 1.0}, penalty_weight=0.1, tokens_seen=9)
    values = {"lambda_": 0.1, "tokens_seen": 9, "metrics": {"eval_loss": 1.0}}
    assert facts == NamedStep(3, "step3", **values)
    assert scrubbed(Figure("a/b.png", "of /tmp/x/run")).caption == "of run"
    card = full_card()
    assert scrubbed(card) == card

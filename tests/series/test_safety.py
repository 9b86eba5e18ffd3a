"""What may be read, where it may go, what must never be shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from hf_grok.series import RefusedStepError, SeriesError, mask_tokens, safe_path
from hf_grok.series.local.safety import is_weights, refuse_pickles
from hf_grok.text.credentials import MASK

TOKEN = "hf_" + "aB3" * 11


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "a/..",
        "/etc/passwd",
        "..\\x",
        "a\\b",
        "C:\\x",
        "C:x",
        "C:/x",
        "\\\\host\\share",
        "",
        "a\0b",
    ],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SeriesError, match="file name"):
        safe_path(tmp_path, name)


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "away").symlink_to(tmp_path)
    with pytest.raises(SeriesError, match="symbolic link"):
        safe_path(tmp_path / "in", "away/x")


@pytest.mark.parametrize("name", ["x", "a/b.json", "a..b", "..a", "model-00001-of-00002"])
def test_plain_names_stay_inside(tmp_path: Path, name: str) -> None:
    assert safe_path(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize(
    "text",
    [f"bad token {TOKEN}", f"Authorization: Bearer {TOKEN}", f"https://u:{TOKEN}@host/x"],
)
def test_tokens_are_masked(text: str) -> None:
    assert TOKEN not in mask_tokens(text)
    assert MASK in mask_tokens(text)


def test_a_token_of_another_shape_is_masked_when_it_is_known() -> None:
    assert mask_tokens("it was s3cret", "s3cret") == f"it was {MASK}"


def test_other_text_stays() -> None:
    text = "hf_grok.series hf_hub hf-grok push runs/x me/y, the bearer of news"
    assert mask_tokens(text.replace("the bearer of news", "")) == text.replace(
        "the bearer of news", ""
    )


@pytest.mark.parametrize("name", ["pytorch_model.bin", "weights.pkl", "model.pt", "x.ckpt"])
def test_pickles_are_refused_with_the_reason(name: str) -> None:
    with pytest.raises(RefusedStepError, match="can run code when they are loaded"):
        refuse_pickles(["model.safetensors", name], "checkpoint-5")


def test_trainers_own_pickles_are_no_reason_to_refuse() -> None:
    own = ["training_args.bin", "optimizer.pt", "scheduler.pt", "rng_state.pth", "rng_state_3.pth"]
    refuse_pickles([*own, "model.safetensors"], "checkpoint-5")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model.safetensors", True),
        ("model-00001-of-00002.safetensors", True),
        ("pytorch_model.bin", True),
        ("pytorch_model-00001-of-00002.bin", True),
        ("training_args.bin", False),
        ("optimizer.pt", False),
        ("config.json", False),
        ("model.safetensors.index.json", False),
    ],
)
def test_what_weights_are(name: str, expected: bool) -> None:
    assert is_weights(name) is expected

"""What a token looks like, and what does not look like one."""

from __future__ import annotations

import random
import string

import pytest

from hf_grok.text.credentials import MASK, find, mask, of_this_machine, place

LETTERS = string.ascii_letters + string.digits


def drawn(count: int) -> str:
    return "".join(random.Random(count).choices(LETTERS, k=count - 1)) + "7"


SECRETS = {
    "a Hugging Face token": "hf_" + drawn(34),
    "an AWS key": "AKIA" + "Z7" * 8,
    "a GitHub token": "ghp_" + drawn(36),
    "a GitLab token": "glpat-" + drawn(20),
    "a Slack token": "xoxb-" + drawn(24),
    "a Google key": "AIza" + drawn(35),
    "an API key": "sk-proj-" + drawn(40),
    "a web token": f"eyJ{drawn(20)}.eyJ{drawn(30)}.{drawn(25)}",
}


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("around", ['{{"note": "{}"}}', "x={}\n", "https://host/?k={}&y", "({})"])
def test_each_kind_is_found_and_masked(kind: str, around: str) -> None:
    text = "line\n  " + around.format(SECRETS[kind])
    assert kind in [found.kind for found in find(text)]
    assert SECRETS[kind] not in mask(text)
    assert MASK in mask(text)
    assert mask(text).startswith("line\n  " + around.partition("{}")[0].replace("{{", "{"))


@pytest.mark.parametrize(
    "text",
    [
        f'"api_key": "{drawn(24)}"',
        f"WANDB_API_KEY={drawn(40)}",
        f'"aws_secret_access_key": "{drawn(40)}"',
        f"hub_token: {drawn(20)}",
        f'"password": "{drawn(16)}"',
        f"Authorization: Bearer {drawn(12)}",
        f"postgres://ada:{drawn(10)}@host/base",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
        "api_org_" + drawn(20),
    ],
)
def test_by_the_name_beside_it(text: str) -> None:
    assert list(find(text))
    assert drawn(40) not in mask(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"bos_token": "<|endoftext|>", "mask_token": "[MASK]", "eos_token_id": 50256}',
        '{"additional_special_tokens": ["<extra_id_0>", "<extra_id_99>"], "unk_token": "<unk>"}',
        '{"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 1024}',
        "hf_grok.series hf_hub hf-grok push runs/x me/y, the bearer of news",
        "task-oriented sk-learn and a desk-bound clerk",
        "https://huggingface.co/org/model/tree/step1000 http://127.0.0.1:8080/x@y",
        "sha256 " + "0123456789abcdef" * 4,
        '"key": "value123456789012345"',
        'the token of layer 1: "a1b2c3d4e5f6a7b8"',
    ],
)
def test_what_is_none(text: str) -> None:
    assert [found.kind for found in find(text)] == []
    assert mask(text) == text


def test_a_known_token_of_any_shape_wherever_it_stands() -> None:
    assert mask("a s3cret and a s3cret", ["s3cret"]) == f"a {MASK} and a {MASK}"
    assert mask("nothing", ["", "s3cret"]) == "nothing"


def test_overlapping_ones_leave_nothing() -> None:
    token = SECRETS["a Hugging Face token"]
    assert mask(f"Bearer {token}, api_key={token};", [token[:20]]).count(MASK) == 2
    assert token[3:] not in mask(f"Bearer {token}", [token[4:12]])


def test_the_place(monkeypatch: pytest.MonkeyPatch) -> None:
    text = f'{{\n "a": 1,\n "b": "{SECRETS["an AWS key"]}"\n}}'
    (found,) = find(text)
    assert place(text, found) == "line 3, column 8"


def test_those_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "a-token-of-the-environment")
    assert "a-token-of-the-environment" in of_this_machine()
    monkeypatch.setenv("HF_TOKEN", "short")  # a word: masking it would spoil every text
    assert "short" not in of_this_machine()

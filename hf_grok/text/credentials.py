"""Access tokens and passwords in a text: found before it is published, masked before it is shown.

What a token looks like is known of the services that people who train models use; of the token that
this machine itself sends to the Hub the content is known, whatever it looks like.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

MASK = "hf_***"
_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_SHORTEST = 8  # of a token of this machine: a shorter one is a word, which stands everywhere


@dataclass(frozen=True)
class _Kind:
    """What tokens of one service look like.

    Attributes:
        name: what is found, for people.
        signs: a text without any of them has no such token; looked for first, since it is fast.
        pattern: its group "secret", or else all of it, is the token.
        before: what stands right before a match; None for anything.
    """

    name: str
    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    before: re.Pattern[str] | None = None


_NAMED = re.compile(
    r"(?i)(?:access|auth|hub|api|refresh|session|private|personal|secret|account|hf|github|wandb)"
    r"[_-]?$"
)
_LOOK_BACK = 12
_VALUE = (
    r"[\"']?\s{0,8}[:=]\s{0,8}[\"']?(?P<secret>(?=[^\s\"',;]{0,64}[0-9])[A-Za-z0-9._~+/=-]{16,})"
)
_KINDS = (
    _Kind(
        "a Hugging Face token",
        ("hf_", "api_org_"),
        re.compile(r"(?<![A-Za-z0-9])(?:(?:hf|api_org)_[A-Za-z0-9]{16,}|hf_(?:oauth|jwt)_[\w.-]+)"),
    ),
    _Kind(
        "a bearer token",
        ("bearer", "Bearer", "BEARER"),
        re.compile(r"(?i)\bbearer\s+(?P<secret>(?=[^\s'\"]*[0-9])[A-Za-z0-9._~+/=-]{8,})"),
    ),
    _Kind("an AWS key", ("AKIA", "ASIA"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    _Kind(
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    ),
    _Kind("a GitLab token", ("glpat-",), re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    _Kind("a Slack token", ("xox",), re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}")),
    _Kind("a Google key", ("AIza",), re.compile(r"\bAIza[A-Za-z0-9_-]{35}")),
    _Kind(
        "an API key",
        ("sk-",),
        re.compile(r"(?<![A-Za-z0-9-])sk-(?=[A-Za-z_-]*[0-9])[A-Za-z0-9_-]{20,}"),
    ),
    _Kind(
        "a private key",
        ("PRIVATE KEY-----",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*"),
    ),
    _Kind(
        "a web token",
        ("eyJ",),
        re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"),
    ),
    _Kind(
        "a password in an address",
        ("://",),
        re.compile(r"://[^\s:/@\"'<>]{1,64}:(?P<secret>[^\s:/@\"'<>{}$]{6,})@"),
    ),
    # "api_key": "..." and the like; bos_token and pad_token are names of something else.
    _Kind(
        "a secret by its name",
        ("oken", "OKEN", "key", "Key", "KEY"),
        re.compile(rf"(?:[Tt]oken|TOKEN|[Kk]ey|KEY){_VALUE}"),
        before=_NAMED,
    ),
    _Kind(
        "a password",
        ("assw", "ASSW", "ecret", "ECRET"),
        re.compile(rf"(?:[Pp]assword|PASSWORD|[Pp]asswd|[Ss]ecret|SECRET){_VALUE}"),
    ),
)


@dataclass(frozen=True)
class Found:
    """One secret in a text: what it is, where it begins and ends."""

    kind: str
    start: int
    end: int


def find(text: str, known: Iterable[str] = ()) -> Iterator[Found]:
    """Every token in a text.

    Args:
        text: any.
        known: tokens of which the content is known.
    """
    for token in known:
        for match in re.finditer(re.escape(token), text) if token else ():
            yield Found("the token of this machine", *match.span())
    for kind in _KINDS:
        if any(sign in text for sign in kind.signs):
            group = "secret" if "secret" in kind.pattern.groupindex else 0
            for match in kind.pattern.finditer(text):
                before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
                if kind.before is None or kind.before.search(before):
                    yield Found(kind.name, *match.span(group))


def mask(text: str, known: Iterable[str] = (), by: str = MASK) -> str:
    """The text without tokens.

    Args:
        text: any.
        known: tokens of which the content is known.
        by: what stands in their place.
    """
    end = len(text)
    spans = sorted({(f.start, f.end) for f in find(text, known)}, key=lambda span: -span[1])
    for start, stop in spans:
        text = text[:start] + by + text[min(stop, end) :] if start < end else text
        end = min(start, end)
    return text


def place(text: str, found: Found) -> str:
    """Where it begins, as "line 3, column 14", both from 1."""
    line = text.count("\n", 0, found.start) + 1
    return f"line {line}, column {found.start - text.rfind(chr(10), 0, found.start)}"


def of_this_machine() -> tuple[str, ...]:
    """The tokens that this process would send to the Hub, of any shape.

    The environment's; and the one of `hf auth login`, where the library that sends it is loaded.
    """
    tokens = [os.environ.get(name, "").strip() for name in _VARIABLES]
    hub = sys.modules.get("huggingface_hub")
    get_token = getattr(hub, "get_token", None)
    if get_token is not None:
        tokens.append(get_token() or "")
    return tuple(dict.fromkeys(token for token in tokens if len(token) >= _SHORTEST))

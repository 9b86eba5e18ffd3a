"""When to try again, and how long to wait."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from huggingface_hub.errors import (
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import httpx

from hf_grok.series import PushingStopsError, RefusedStepError, SeriesError
from hf_grok.series.retry import (
    CommitBudget,
    Verdict,
    delay,
    in_words,
    retry_after,
    seconds_until_allowed,
    verdict,
)


def answer(status: int, **headers: str) -> HfHubHTTPError:
    request = httpx.Request("POST", "http://hub/api")
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HfHubHTTPError("no", response=httpx.Response(status, request=request, headers=named))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        *((answer(status), Verdict.AGAIN) for status in (408, 409, 412, 429, 500, 502, 503, 507)),
        *((answer(status), Verdict.STOP) for status in (401, 403)),
        *((answer(status), Verdict.NEXT) for status in (400, 404, 413, 422)),
        (httpx.ReadTimeout("slow"), Verdict.AGAIN),
        (httpx.ConnectError("away"), Verdict.AGAIN),
        (httpx.RemoteProtocolError("hung up"), Verdict.AGAIN),
        (ConnectionResetError(), Verdict.AGAIN),
        (OSError(errno.ENOSPC, "No space left on device"), Verdict.AGAIN),
        (AttributeError("a null in the answer"), Verdict.NEXT),
        (OfflineModeIsEnabled("off"), Verdict.STOP),
        (PushingStopsError("public"), Verdict.STOP),
        (RefusedStepError("other weights"), Verdict.NEXT),
        (SeriesError("not as sent"), Verdict.NEXT),
        (FileNotFoundError("gone"), Verdict.NEXT),
    ],
)
def test_what_an_error_means(error: Exception, expected: Verdict) -> None:
    assert verdict(error) is expected


def test_an_error_in_words() -> None:
    refused = answer(403)
    refused.server_message = "no\n  right"
    assert in_words(refused, "me/x", "write") == (
        "the Hub answered 403 Forbidden: no right. It takes a token that may write me/x "
        "(HF_TOKEN, or hf auth login)"
    )
    assert in_words(answer(500), "me/x", "write") == "the Hub answered 500 Internal Server Error"
    assert in_words(SeriesError("as it is"), "me/x", "write") == "as it is"
    missing = RepositoryNotFoundError("no", response=answer(404).response)
    assert in_words(missing, "me/x", "read").endswith(", and the repository's right name")


def test_retry_after_is_read_and_heeded() -> None:
    assert retry_after(answer(429, Retry_After="17")) == 17
    assert retry_after(answer(429)) is None
    assert retry_after(answer(429, Retry_After="Wed, 21 Oct")) is None
    date = answer(503, Retry_After="Thu, 01 Jan 1970 00:02:00 GMT")
    assert retry_after(date, now=lambda: 90.0) == 30
    assert retry_after(date) == 0  # it is past
    assert delay(0, 17.0, lambda: 0.0) == 17.0


@pytest.mark.parametrize(("attempt", "longest"), [(0, 1), (1, 2), (5, 32), (9, 300), (5000, 300)])
def test_waits_double_up_to_a_bound_with_jitter(attempt: int, longest: float) -> None:
    assert delay(attempt, None, lambda: 0.0) == longest / 2
    assert delay(attempt, None, lambda: 1.0) == longest
    assert longest / 2 <= delay(attempt, None) <= longest


def test_the_budget_by_brute_force() -> None:
    """Whatever is waited for, no window of an hour has more than the limit."""
    limit, now, times = 3, 0.0, []
    for pause in (0, 10, 10, 2000, 0, 0, 0, 1, 5000, 0, 0, 0, 0):
        now += pause
        now += seconds_until_allowed(times, now, limit)
        times.append(now)
    for start in times:
        assert sum(start <= at < start + 3600 for at in times) <= limit


def test_a_free_budget_does_not_wait() -> None:
    assert seconds_until_allowed([], 0.0, 1) == 0.0
    assert seconds_until_allowed([0.0], 3600.0, 1) == 0.0
    assert seconds_until_allowed([0.0], 3599.0, 1) == 1.0


def test_a_restart_remembers_the_budget(tmp_path: Path) -> None:
    path, now = tmp_path / "commits.json", [100.0]
    first = CommitBudget(path, limit=2, clock=lambda: now[0])
    first.spend()
    first.spend()
    again = CommitBudget(path, limit=2, clock=lambda: now[0])
    assert again.wait() == 3600.0
    now[0] += 3600
    assert again.wait() == 0.0


def test_a_cut_budget_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "commits.json"
    path.write_text("[1.0, 2")
    assert CommitBudget(path).wait() == 0.0

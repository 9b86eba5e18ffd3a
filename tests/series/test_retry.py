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
from hf_grok.series.hub.budget import CommitBudget, seconds_until_allowed
from hf_grok.series.hub.retry import (
    Verdict,
    delay,
    in_words,
    retry_after,
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


def test_a_hub_without_xet_storage_is_told_apart() -> None:
    url = "http://hub.lab/api/models/me/series/xet-write-token/step0"
    error = RuntimeError(f"HTTP status client error (404 Not Found), domain: {url}")
    said = in_words(error, "me/series", "write")
    assert said.startswith(str(error))
    assert said.endswith("HF_HUB_DISABLE_XET=1 does without")


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


@pytest.mark.parametrize("jump", [-315_360_000.0, 315_360_000.0, -7200.0, 7200.0])
def test_no_slip_of_the_clock_makes_a_wait_longer_than_an_hour(tmp_path: Path, jump: float) -> None:
    """Ten years back and forth: in the process that waits, and in one that begins then."""
    path, wall, tick = tmp_path / "commits.json", [1e9], [50.0]
    budget = CommitBudget(path, 2, lambda: wall[0], lambda: tick[0])
    budget.spend()
    budget.spend()
    wall[0] += jump
    assert budget.wait() == 3600.0  # it is this hour, whatever the clock says
    tick[0] += 100
    assert budget.wait() == 3500.0
    later = CommitBudget(path, 2, lambda: wall[0], lambda: tick[0])
    assert later.wait() == (3600.0 if jump < 0 else 0.0)
    tick[0] += 3600
    assert later.wait() == budget.wait() == 0.0
    budget.spend()
    assert len(path.read_text()) < 100


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '"x"',
        "[null, [], {}, true]",
        "[NaN, Infinity, -Infinity]",
        "[1e999]",
        "[" * 50_000,
        "[" + "9" * 5000 + "]",
        "\x00\xff",
        "[" + "1.0," * 100_000 + "1.0]",
    ],
)
def test_a_budget_s_file_of_any_content(tmp_path: Path, text: str) -> None:
    path = tmp_path / "commits.json"
    path.write_text(text)
    budget = CommitBudget(path, limit=3)
    assert 0.0 <= budget.wait() <= 3600.0
    budget.spend()
    assert path.stat().st_size < 200


def test_many_commits_at_one_moment_are_as_many(tmp_path: Path) -> None:
    budget = CommitBudget(tmp_path / "commits.json", 3, lambda: 7.0, lambda: 7.0)
    for expected in (0.0, 0.0, 0.0):
        assert budget.wait() == expected
        budget.spend()
    assert budget.wait() == 3600.0


def test_a_server_that_asks_for_ages_is_asked_again_in_an_hour() -> None:
    for text in ("999999999", "9" * 400, "Fri, 31 Dec 9999 23:59:59 GMT"):
        asked = retry_after(answer(429, Retry_After=text))
        assert delay(0, asked, lambda: 0.0) <= 3600.0
    date, now = "Thu, 01 Jan 2026 00:00:30 GMT", "Thu, 01 Jan 2026 00:00:00 GMT"
    assert retry_after(answer(429, Retry_After=date, Date=now), now=lambda: 0.0) == 30.0


@pytest.mark.parametrize("status", [409, 412])
def test_a_conflict_that_stays_is_a_refusal(status: int) -> None:
    assert [verdict(answer(status), attempt) for attempt in range(5)] == [
        *[Verdict.AGAIN] * 3,
        *[Verdict.NEXT] * 2,
    ]

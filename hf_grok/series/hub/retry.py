"""When to try again: what an error means, and how long to wait."""

from __future__ import annotations

import errno
import random
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from enum import Enum

from huggingface_hub.errors import (
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from hf_grok.series.errors import PushingStopsError, RefusedStepError

# What talking to a Hub can raise: its answers, the connection, a malformed answer (a missing key,
# a null, which has no attributes), the upload's own errors.
HUB_ERRORS = (
    *(OSError, ValueError, RuntimeError, LookupError, TypeError, AttributeError),
    httpx.HTTPError,
)

_SHORTEST, _LONGEST = 1.0, 300.0
_AGAIN = {408, 409, 412, 425, 429}
_CONFLICTS = {409, 412}  # somebody else was faster, which a second look fixes, or nothing does
_SECOND_LOOKS = 3
_LONGEST_ASKED = 3600.0  # the window of the Hub's limit; longer is a slip of a clock or a server
_NOT_ALLOWED = {401, 403}
_XET = "xet-write-token"
_NO_XET = ". A Hub of somebody's own may have no Xet storage: HF_HUB_DISABLE_XET=1 does without"
_NO_ROOM_HERE = {errno.ENOSPC, errno.EDQUOT}


class Verdict(Enum):
    """What to do about an error."""

    AGAIN = "again"  # later, the same step
    NEXT = "next"  # this step cannot be pushed as it is; the others may
    STOP = "stop"  # a person has to do something first


def verdict(error: BaseException, attempt: int = 0) -> Verdict:
    """Whether to try again after an error, by the HTTP status where there is one.

    408, 425, 429, 5xx, every failure of the connection and a full disk here pass with time; 409 and
    412 with a second look, or never; 401, 403 and a repository that is not there do not; what else
    is refused concerns one step.

    Args:
        error: from the Hub, the connection, or here.
        attempt: failures in a row before this one.
    """
    if isinstance(error, PushingStopsError | OfflineModeIsEnabled | RepositoryNotFoundError):
        return Verdict.STOP
    if isinstance(error, RevisionNotFoundError):  # a branch that went away: it is made again
        return Verdict.AGAIN
    if isinstance(error, RefusedStepError):
        return Verdict.NEXT
    if isinstance(error, HfHubHTTPError):
        return _of_status(error.response.status_code, attempt)
    if isinstance(error, OSError) and error.errno in _NO_ROOM_HERE:
        return Verdict.AGAIN
    connection = (httpx.TransportError, ConnectionError, TimeoutError)
    return Verdict.AGAIN if isinstance(error, connection) else Verdict.NEXT


def _of_status(status: int, attempt: int) -> Verdict:
    if status in _CONFLICTS and attempt >= _SECOND_LOOKS:
        return Verdict.NEXT
    if status in _AGAIN or status >= 500:
        return Verdict.AGAIN
    return Verdict.STOP if status in _NOT_ALLOWED else Verdict.NEXT


def in_words(error: BaseException, repository: str, right: str) -> str:
    """What went wrong, without addresses and advice for programmers.

    Args:
        error: from the Hub, the connection, or here.
        repository: that was asked for.
        right: that the token needs: "write" or "read".
    """
    if not isinstance(error, HfHubHTTPError):
        return f"{error}{_NO_XET}" if _XET in str(error) else str(error)
    answer = error.response
    said = " ".join((error.server_message or "").split())
    text = f"the Hub answered {answer.status_code} {answer.reason_phrase}".rstrip()
    text += f": {said}" if said else ""
    unknown = isinstance(error, RepositoryNotFoundError)
    if answer.status_code in _NOT_ALLOWED or unknown:
        text = text.rstrip(".") + f". It takes a token that may {right} {repository}"
        text += " (HF_TOKEN, or hf auth login)"
        text += ", and the repository's right name" if unknown else ""
    return text


def retry_after(error: BaseException, now: Callable[[], float] = time.time) -> float | None:
    """Seconds that the server asks for in `Retry-After`, a number or a date; None without it.

    A date is taken against the server's own `Date`, where it says it: the clock here may be wrong.
    """
    if not isinstance(error, HfHubHTTPError):
        return None
    headers = error.response.headers
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{0,12})?", text):
        return float(text)
    until, told = _seconds_of(text), _seconds_of(headers.get("Date", ""))
    return None if until is None else max(0.0, until - (now() if told is None else told))


def _seconds_of(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, OverflowError):  # no date, and so nothing that could be heeded
        return None


def delay(attempt: int, asked: float | None, draw: Callable[[], float] = random.random) -> float:
    """max(min(asked, 3600), min(300, 2^attempt) * (0.5 + draw / 2)) seconds.

    Args:
        attempt: failures in a row, from 0.
        asked: what `Retry-After` said.
        draw: a number from [0, 1), so that many runs do not come back at once.
    """
    longest = min(_LONGEST, _SHORTEST * 2.0 ** min(attempt, 20))
    return max(min(asked or 0.0, _LONGEST_ASKED), longest * (0.5 + draw() / 2))

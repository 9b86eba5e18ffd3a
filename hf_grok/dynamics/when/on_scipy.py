"""The one place where these statistics ask for scipy, which only the extra `statistics` brings."""

from __future__ import annotations

from typing import Any

from hf_grok._optional import import_optional


def scipy_stats() -> Any:
    """`scipy.stats`.

    Raises:
        UserError: scipy is not installed; names the extra.
    """
    return import_optional("scipy.stats", extra="statistics", purpose="statistics over seeds")

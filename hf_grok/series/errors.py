"""What can go wrong with a series, told apart where the difference matters."""

from __future__ import annotations

from hf_grok.errors import UserError


class SeriesError(UserError):
    """A checkpoint or a repository that cannot be part of the series, and why."""


class RefusedStepError(SeriesError):
    """A step that must not be published: repeated or overwritten weights, an unsafe file."""


class PushingStopsError(SeriesError):
    """Nothing can be pushed until a person has done something: a token, a repository, a setting."""

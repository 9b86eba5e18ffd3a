"""What the server answers when it refuses: a status, the Hub's error code and a sentence."""

from __future__ import annotations


class HubError(Exception):
    """A refusal; the client makes a typed exception of `code`.

    Args:
        status: HTTP status.
        message: A sentence for people, sent as X-Error-Message and in the body.
        code: X-Error-Code: RepoNotFound, RevisionNotFound or EntryNotFound; None sends none.
        headers: Further headers, as X-Repo-Commit beside EntryNotFound.
    """

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.headers = headers or {}


def repository_not_found(status: int = 404) -> HubError:
    # The Hub says the same of a repository that is missing and of one that is not yours to see.
    return HubError(status, "Repository not found", "RepoNotFound")


def revision_not_found(revision: str) -> HubError:
    return HubError(404, f"Invalid rev id: {revision}", "RevisionNotFound")


def entry_not_found(path: str, commit: str) -> HubError:
    # X-Repo-Commit lets the client note in its cache that this commit has no such file.
    return HubError(404, f"Entry not found: {path}", "EntryNotFound", {"X-Repo-Commit": commit})

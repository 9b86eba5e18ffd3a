"""Which address is which endpoint. The names are those that faults and the log go by."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from tests.hub_server.endpoints import accounts, cards, commits, contents, references, uploads
from tests.hub_server.messages import Request, Response
from tests.hub_server.store import Store

Endpoint = Callable[[Store, Request], Response]

_REPO = r"/api/(?P<kind>models|datasets|spaces)/(?P<name>[^/]+/[^/]+)"
_HOME = r"/(?:(?P<kind>datasets|spaces)/)?(?P<name>[^/]+/[^/]+?)"
_REV = r"/(?P<rev>[^/]+)"  # one piece of the address: a branch `a/b` comes as a%2Fb


@dataclass(frozen=True)
class Route:
    """One endpoint: its name, its method, the pattern of its raw path."""

    name: str
    method: str
    pattern: str
    endpoint: Endpoint


ROUTES = (
    Route("whoami", "GET", r"/api/whoami-v2", accounts.whoami),
    Route("create_repo", "POST", r"/api/repos/create", accounts.create_repo),
    Route("delete_repo", "DELETE", r"/api/repos/delete", accounts.delete_repo),
    Route("validate_yaml", "POST", r"/api/validate-yaml", cards.validate_yaml),
    Route("info", "GET", rf"{_REPO}(?:/revision{_REV})?", contents.info),
    Route("refs", "GET", rf"{_REPO}/refs", references.refs),
    Route("create_branch", "POST", rf"{_REPO}/branch{_REV}", references.create_branch),
    Route("delete_branch", "DELETE", rf"{_REPO}/branch{_REV}", references.delete_branch),
    Route("create_tag", "POST", rf"{_REPO}/tag{_REV}", references.create_tag),
    Route("delete_tag", "DELETE", rf"{_REPO}/tag{_REV}", references.delete_tag),
    Route("preupload", "POST", rf"{_REPO}/preupload{_REV}", uploads.preupload),
    Route("commit", "POST", rf"{_REPO}/commit{_REV}", commits.commit),
    Route("commits", "GET", rf"{_REPO}/commits{_REV}", commits.commits),
    Route("tree", "GET", rf"{_REPO}/tree{_REV}(?:/(?P<path>.+))?", contents.tree),
    Route("paths_info", "POST", rf"{_REPO}/paths-info{_REV}", contents.paths_info),
    Route("lfs_batch", "POST", rf"{_HOME}\.git/info/lfs/objects/batch", uploads.lfs_batch),
    Route("lfs_put", "PUT", r"/lfs-upload/(?P<oid>[0-9a-f]{64})", uploads.lfs_put),
    Route("lfs_verify", "POST", rf"{_HOME}\.git/info/lfs/verify", uploads.lfs_verify),
    Route("head", "HEAD", rf"{_HOME}/resolve{_REV}/(?P<path>.+)", contents.resolve),
    Route("download", "GET", rf"{_HOME}/resolve{_REV}/(?P<path>.+)", contents.resolve),
)
NAMES = frozenset(route.name for route in ROUTES)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route of a request and the pieces of its path, unquoted; None where there is none."""
    for route in ROUTES:
        match = re.fullmatch(route.pattern, path) if route.method == method else None
        if match is not None:
            parts = match.groupdict()
            return route, {key: unquote(part) for key, part in parts.items() if part is not None}
    return None

"""Long listings come in pages; a header says where the next one is."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.hub_server.messages import Request, Response, json_response


def page(rows: list[Any], request: Request, size: int) -> Response:
    """The rows from the request's cursor on, at most `size`, and a Link to those after them."""
    start = int(request.query.get("cursor", ["0"])[0])
    headers = {}
    if start + size < len(rows):
        query = urlencode(request.query | {"cursor": [str(start + size)]}, doseq=True)
        headers["Link"] = f'<{request.base}{request.path}?{query}>; rel="next"'
    return json_response(rows[start : start + size], headers=headers)

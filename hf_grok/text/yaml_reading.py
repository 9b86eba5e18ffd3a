"""YAML of strangers, as plain values: bounded in size, depth and what its aliases expand to.

Numbers in base sixty and days are text: a schedule 0:0.1 is none of either. 1e-4 is a number, as in
YAML 1.2, which PyYAML alone takes for text.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from hf_grok.errors import UserError
from hf_grok.text.files import read_text
from hf_grok.text.json_reading import MAX_DIGITS
from hf_grok.text.printable import quoted

MAX_BYTES = 1 << 18
MAX_DEPTH = 40
MAX_NODES = 100_000
"""Values of a text with aliases, each counted as often as it is named."""

_TAG = "tag:yaml.org,2002:"
_INT, _FLOAT, _MERGE = f"{_TAG}int", f"{_TAG}float", f"{_TAG}merge"
_PLAIN = {
    _INT,
    _FLOAT,
    _MERGE,
    *(f"{_TAG}{kind}" for kind in ("map", "seq", "str", "bool", "null")),
}
_WHOLE_NUMBER = r"^(?:[-+]?0b[01_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+)$"
_FRACTION = (
    r"^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
)


def parse_yaml(
    text: str, where: str, *, nonfinite: bool = False, error: type[UserError] = UserError
) -> Any:
    """The value of a YAML text: None, bool, int, float, str, and lists and dicts of them.

    Args:
        text: one document.
        where: of the text, for messages, which add the line.
        nonfinite: read .nan, .inf and numbers beyond the largest float; refused otherwise.
        error: what is raised.

    Raises:
        UserError: it is no YAML, or several documents; a key stands twice or is no plain value; a
            tag of another kind, such as !!python/object; a number that is not finite or has more
            than 300 digits; nesting deeper than 40, an alias inside what it names, or aliases that
            make more than 100,000 values of it.
    """
    if len(text) > MAX_BYTES:
        raise error(f"{where}: more than {MAX_BYTES:,} characters of YAML")
    try:
        _check_events(yaml.parse(text, Loader=_LOADER))
        loader = _LOADER(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _Expanded(nonfinite).check(node)
            found = loader.construct_document(node)
        finally:
            loader.dispose()
    except _RefusedError as reason:
        raise error(f"{where}:{reason.line}: {reason}") from None
    except yaml.YAMLError as reason:
        mark = getattr(reason, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        said = getattr(reason, "problem", None) or getattr(reason, "reason", None) or str(reason)
        raise error(f"{where}{line}: not YAML: {' '.join(str(said).split())}") from None
    except ValueError as reason:  # a number written as no number is: 0x_ or 0b_
        raise error(f"{where}: not YAML: {reason}") from None
    return found


def read_yaml(file: str | os.PathLike[str], *, error: type[UserError] = UserError) -> Any:
    """The value of a YAML file.

    Raises:
        UserError: as `read_text` (of 256 KiB at most) and `parse_yaml`.
    """
    text = read_text(file, largest=MAX_BYTES, error=error)
    return parse_yaml(text, os.fspath(file), error=error)


class _RefusedError(Exception):
    """What the bounds do not let pass; never leaves this module."""

    def __init__(self, message: str, node: Any) -> None:
        super().__init__(message)
        self.line = node.start_mark.line + 1


def _loader() -> Any:
    """The safe loader, in C where it is there, without numbers in base sixty, octals and days."""
    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    left_out = (_INT, _FLOAT, f"{_TAG}timestamp", f"{_TAG}value")
    resolvers = {
        first: [(tag, pattern) for tag, pattern in pairs if tag not in left_out]
        for first, pairs in base.yaml_implicit_resolvers.items()
    }
    loader: Any = type("PlainLoader", (base,), {"yaml_implicit_resolvers": resolvers})
    loader.add_implicit_resolver(_INT, re.compile(_WHOLE_NUMBER), list("-+0123456789"))
    loader.add_implicit_resolver(_FLOAT, re.compile(_FRACTION), list("-+0123456789."))
    return loader


_LOADER = _loader()


def _check_events(events: Iterable[Any]) -> None:
    """Refuse depth before anything that recurses sees the text."""
    depth = 0
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise _RefusedError(f"nested more than {MAX_DEPTH} deep", event)
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Expanded:
    """What a node stands for, aliases written out; a walk that meets every node once."""

    def __init__(self, nonfinite: bool) -> None:
        self._nonfinite = nonfinite
        self._known: dict[int, tuple[int, int]] = {}
        self._above: set[int] = set()

    def check(self, node: Any) -> tuple[int, int]:
        """How many values, and how deep they are nested."""
        place = id(node)
        if place in self._above:
            raise _RefusedError("an alias stands inside what it names", node)
        if place in self._known:
            return self._known[place]
        _check_node(node, self._nonfinite)
        self._above.add(place)
        below = [self.check(child) for child in _children(node)]
        self._above.remove(place)
        size = 1 + sum(size for size, _ in below)
        depth = 1 + max((depth for _, depth in below), default=0)
        self._known[place] = size, depth
        if depth > MAX_DEPTH + 1:
            raise _RefusedError(f"nested more than {MAX_DEPTH} deep", node)
        if size > max(MAX_NODES, len(self._known)):
            raise _RefusedError(f"its aliases make more than {MAX_NODES:,} values of it", node)
        return size, depth


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key
            yield value
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value


def _check_node(node: Any, nonfinite: bool) -> None:
    if node.tag not in _PLAIN:
        raise _RefusedError(
            f"{quoted(node.tag)} is no plain value: expected text, numbers, lists", node
        )
    if isinstance(node, yaml.MappingNode):
        _check_keys(node)
    elif node.tag == _INT and len(node.value) > MAX_DIGITS:
        told = f"a whole number of {len(node.value):,} digits: expected {MAX_DIGITS} at most"
        raise _RefusedError(told, node)
    elif node.tag == _FLOAT and not (nonfinite or _is_finite(node.value)):
        raise _RefusedError(f"{quoted(node.value)}: expected a finite number", node)


def _check_keys(node: yaml.MappingNode) -> None:
    seen = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _RefusedError("a key that is a list or a mapping: expected text", key)
        if (key.tag, key.value) in seen:
            raise _RefusedError(f"the key {quoted(key.value)} stands twice", key)
        seen.add((key.tag, key.value))


def _is_finite(text: str) -> bool:
    try:
        return math.isfinite(float(text.replace("_", "")))
    except ValueError:
        return False

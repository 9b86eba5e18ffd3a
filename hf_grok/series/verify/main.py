"""`main` of a series: the last step, the index and the page, and nothing else that is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from hf_grok.series.hub.remote_tree import HUB_OWN, RemoteFile, Tree, weights_in
from hf_grok.series.local.manifest import CARD_FILE, INDEX_FILE, SERIES_FILE, Index, IndexEntry
from hf_grok.series.local.safety import holds_model
from hf_grok.series.local.selection import is_loaded
from hf_grok.series.naming import MAIN
from hf_grok.series.revision_names import STEPS
from hf_grok.series.verify.report import FoundRevision, Problem

Hashes = Callable[[str, Tree], Mapping[str, str]]


def main_problems(
    main: Tree,
    trees: Mapping[str, Tree],
    found: Sequence[FoundRevision],
    index: Index | None,
    hashes: Hashes,
) -> list[Problem]:
    """What `main` is and should not be; of a series without index or manifests nothing is known.

    Args:
        main: its files.
        trees: of the steps.
        found: the steps.
        index: that stands on it.
        hashes: sha256 of files, by the name of their revision.
    """
    described = [f for f in found if f.manifest is not None and f.unit == STEPS]
    if index is None:
        return _without_index(main, described, hashes)
    last = index.steps[-1] if index.steps else None
    if last is None:
        return []
    if hashes(MAIN, weights_in(main)) != dict(last.weights):
        return [Problem("mislabelled", MAIN, f"its weights are not those of {last.revision}")]
    said = next((f.manifest for f in described if f.name == last.revision), None)
    listed = {SERIES_FILE, *said.files} if said else set()
    return _files(main, trees, last, listed)


def _without_index(main: Tree, described: Sequence[FoundRevision], hashes: Hashes) -> list[Problem]:
    if not described:
        return []
    detail = (
        f"{INDEX_FILE} is not there, and {len(described)} revisions have a manifest: main was "
        "moved, the file deleted, or pushing did not come to its end"
    )
    problems = [Problem("missing", MAIN, detail)]
    last = max(described, key=lambda revision: revision.step)
    held = hashes(MAIN, weights_in(main))
    if held and dict(held) != dict(last.weights):
        problems.append(Problem("mislabelled", MAIN, f"its weights are not those of {last.name}"))
    return problems


def _files(
    main: Tree, trees: Mapping[str, Tree], last: IndexEntry, listed: set[str]
) -> list[Problem]:
    """Every file of the last step as it is there; and no file that loads which no step has."""
    own = {INDEX_FILE, CARD_FILE, HUB_OWN}
    expected = {n: f for n, f in trees.get(last.revision, {}).items() if n in listed}
    texts = [
        f"{name} is not that of {last.revision}" if name in main else f"{name} is not there"
        for name, file in sorted(expected.items())
        if not _same(main.get(name), file)
    ]
    known = {(name, file.blob) for tree in trees.values() for name, file in tree.items()}
    texts += [
        f"{name} is no file of {last.revision}"
        for name, file in sorted(main.items())
        if name not in expected and name not in own and (name, file.blob) not in known
        if holds_model(name) or is_loaded(name)
    ]
    return [Problem("altered", MAIN, text) for text in texts]


def _same(one: RemoteFile | None, other: RemoteFile) -> bool:
    if one is None:
        return False
    if one.sha256 is not None and other.sha256 is not None:
        return one.sha256 == other.sha256
    return one.blob == other.blob

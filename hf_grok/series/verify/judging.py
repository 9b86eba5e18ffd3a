"""What is wrong with a series, judged from what each revision holds and what it says it holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from hf_grok.runs.manifest import FileFacts
from hf_grok.series.hub.remote_tree import HUB_OWN
from hf_grok.series.local.manifest import (
    CARD_FILE,
    INDEX_FILE,
    SERIES_FILE,
    Index,
    IndexEntry,
    Manifest,
    weights_of,
)
from hf_grok.series.naming import MAIN
from hf_grok.series.revision_names import STEPS
from hf_grok.series.verify.report import FoundRevision, Problem, Report
from hf_grok.series.verify.schedule_gaps import missing_steps


def judge(
    source: str,
    revisions: Iterable[FoundRevision],
    index: Index | None = None,
    others: Sequence[Problem] = (),
    *,
    guess_schedule: bool = True,
    left_out: str | None = None,
) -> Report:
    """Everything that can be told from the revisions and the index.

    Which steps there should be is what the index says; holes are looked for only where nobody
    says it, since a schedule may be as irregular as one likes.

    Args:
        source: repository or folder.
        revisions: that were found, in any order.
        index: of the series, where there is one.
        others: what was found beside the revisions.
        guess_schedule: False where a journal says which steps there should be.
        left_out: what was not looked at, in a sentence.
    """
    ordered = tuple(sorted(revisions, key=_place))
    problems = [problem for found in ordered for problem in _of_one(found)]
    problems += repeated(ordered)
    problems += against_index(ordered, index) if index else []
    problems += holes(ordered) if index is None and guess_schedule else []
    return Report(source, ordered, (*problems, *others), left_out)


def _place(found: FoundRevision) -> tuple[bool, str, str, int, str]:
    return (found.unit != STEPS, found.unit, found.stage, found.step, found.name)


def _of_one(found: FoundRevision) -> list[Problem]:
    problems = list(found.problems)
    if not found.weights:
        problems.append(Problem("empty", found.name, "no file of weights in it"))
    if found.manifest is None:
        return problems
    said = found.manifest
    if (said.step, said.revision) != (found.step, found.name):
        detail = f"its manifest is that of step {said.step}, revision {said.revision}"
        problems.append(Problem("mislabelled", found.name, detail))
    return problems + [Problem("altered", found.name, text) for text in _differences(found, said)]


def _differences(found: FoundRevision, said: Manifest) -> list[str]:
    expected, differences = weights_of(said.files), []
    if found.weights:
        for name in sorted({*expected, *found.weights}):
            there, listed = found.weights.get(name), expected.get(name)
            if there != listed:
                differences.append(f"{name} is {_short(there)}, the manifest says {_short(listed)}")
    if found.sizes is not None:
        differences += _size_differences(found.sizes, said.files, set(expected))
        differences += _hash_differences(found, said.files)
        known = {*said.files, *found.weights, SERIES_FILE, CARD_FILE, HUB_OWN}
        differences += [f"{name} is no file of it" for name in sorted({*found.sizes} - known)]
    return differences


def _hash_differences(found: FoundRevision, files: Mapping[str, FileFacts]) -> list[str]:
    sizes = found.sizes or {}
    return [
        f"{name} is {_short(sha256)}, the manifest says {_short(files[name].sha256)}"
        for name, sha256 in sorted(found.hashes.items())
        if sizes.get(name) == files[name].bytes and sha256 != files[name].sha256
    ]


def _size_differences(
    sizes: Mapping[str, int], files: Mapping[str, FileFacts], hashed: set[str]
) -> list[str]:
    texts = []
    for name, facts in sorted(files.items()):
        if name in hashed:
            continue
        if name not in sizes:
            texts.append(f"{name} is not there")
        elif sizes[name] != facts.bytes:
            texts.append(f"{name} has {sizes[name]} bytes, the manifest says {facts.bytes}")
    return texts


def repeated(revisions: Sequence[FoundRevision]) -> list[Problem]:
    """Revisions with the same weights, and those of which a part is the same.

    Of several with the same weights, the one whose manifest and name agree is the original.

    A part that revisions with a manifest share is as they say, and no problem: a frozen layer may
    fill a file.
    """
    whole: dict[frozenset[tuple[str, str]], list[str]] = defaultdict(list)
    for found in revisions:
        if found.weights:
            whole[frozenset(found.weights.items())].append(found.name)
    genuine = {found.name for found in revisions if found.is_genuine}
    for names in whole.values():
        names.sort(key=lambda name: name not in genuine)
    problems = [
        Problem("repeated", name, f"has the weights of {names[0]}")
        for names in whole.values()
        for name in names[1:]
    ]
    return problems + _partly_repeated(revisions, {problem.revision for problem in problems})


def _partly_repeated(revisions: Sequence[FoundRevision], known: set[str]) -> list[Problem]:
    parts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for found in revisions:
        if found.manifest is None and found.name not in known:
            for part in found.weights.items():
                parts[part].append(found.name)
    return [
        Problem("partly repeated", name, f"{file} is that of {names[0]}")
        for (file, _), names in parts.items()
        for name in names[1:]
    ]


def against_index(revisions: Sequence[FoundRevision], index: Index) -> list[Problem]:
    """What the index lists and is not there or is something else, and what it does not list."""
    found = {revision.name: revision for revision in revisions}
    problems = []
    for entry in index.steps:
        there = found.get(entry.revision)
        if there is None:
            problems.append(Problem("missing", entry.revision, f"step {entry.step} of the index"))
        elif there.weights and dict(there.weights) != dict(entry.weights):
            if there.as_said is not False:  # else it is told already
                detail = "its weights are not those that the index lists"
                problems.append(Problem("altered", entry.revision, detail))
        elif there.manifest is None and not there.problems:
            problems.append(Problem("altered", entry.revision, f"{SERIES_FILE} is not there"))
        problems += _against_entry(there, entry)
    problems += _twice(index)
    problems += [Problem(absent.kind, absent.revision, "by the index") for absent in index.absent]
    return problems + _unlisted(revisions, {entry.revision for entry in index.steps})


def _against_entry(there: FoundRevision | None, entry: IndexEntry) -> list[Problem]:
    """What the index says of a revision's number and pages."""
    if there is None:
        return []
    problems = []
    if there.step != entry.step:
        detail = f"the index calls it step {entry.step}"
        problems.append(Problem("mislabelled", entry.revision, detail))
    for name, blob in sorted(entry.pages.items()):
        held = there.pages.get(name)
        if held is None and name != SERIES_FILE:
            problems.append(Problem("altered", entry.revision, f"{name} is not there"))
        elif held is not None and held != blob and not there.problems:
            detail = f"{name} is not the one that was pushed (git's {held[:12]}, not {blob[:12]})"
            problems.append(Problem("altered", entry.revision, detail))
    return problems


def _twice(index: Index) -> list[Problem]:
    """Steps or revisions that stand twice in the index, and those that stand out of order."""
    steps = [entry.step for entry in index.steps]
    names = Counter([entry.revision for entry in index.steps])
    problems = [
        Problem("mislabelled", name, f"stands {count} times in {INDEX_FILE}")
        for name, count in names.items()
        if count > 1
    ]
    if steps != sorted(steps):
        problems.append(Problem("mislabelled", MAIN, f"the steps of {INDEX_FILE} are out of order"))
    return problems


def _unlisted(revisions: Sequence[FoundRevision], listed: set[str]) -> list[Problem]:
    """Steps by their names that the index does not know: of somebody else, or not announced yet."""
    problems = []
    for found in revisions:
        if found.name in listed or not found.weights or found.problems:
            continue
        if found.manifest is None:
            detail = f"neither in the index nor with a {SERIES_FILE}"
            problems.append(Problem("foreign", found.name, detail))
        elif found.manifest.revision == found.name:
            detail = "not in the index: pushing did not come to its end, or it is another run's"
            problems.append(Problem("unlisted", found.name, detail))
    return problems


def holes(revisions: Sequence[FoundRevision]) -> list[Problem]:
    """Steps that are missing by the schedule of those that are there, each stage by itself."""
    stages: dict[tuple[str, str], list[FoundRevision]] = defaultdict(list)
    for found in revisions:
        stages[found.unit, found.stage].append(found)
    return [
        Problem("hole", _name_like(members[0], step), f"no revision for {_of(members[0], step)}")
        for members in stages.values()
        for step in missing_steps([found.step for found in members])
    ]


def _name_like(found: FoundRevision, step: int) -> str:
    """The name that a step would have, by the example of another one."""
    before, separator, after = found.name.rpartition(str(found.step))
    # In stage1-step1 the last "1" is the step; in step1-tokens1B it is not.
    simple = separator and not after
    return f"{before}{step}" if simple else _of(found, step)


def _of(found: FoundRevision, step: int) -> str:
    return f"step {step}" if found.unit == STEPS else f"{step} {found.unit}"


def _short(sha256: str | None) -> str:
    return "absent" if sha256 is None else f"sha256 {sha256[:12]}..."

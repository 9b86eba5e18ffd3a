"""A series on the Hub, looked at through the tree API: hashes without downloading weights."""

from __future__ import annotations

from collections.abc import Mapping

from huggingface_hub import HfApi, get_token
from tqdm import tqdm

from hf_grok.errors import UserError
from hf_grok.series.errors import SeriesError
from hf_grok.series.hub import MAIN
from hf_grok.series.manifest import SERIES_FILE, Index, Manifest
from hf_grok.series.naming import RevisionTemplate, known_step
from hf_grok.series.remote_tree import Tree, facts_in, read_index, read_text, tree_of, weights_in
from hf_grok.series.retry import HUB_ERRORS, in_words
from hf_grok.series.safety import mask_tokens
from hf_grok.series.verify import FoundRevision, Problem, Report, judge


def verify_hub(repository: str, *, quiet: bool = False, api: HfApi | None = None) -> Report:
    """Look at every revision of a repository; a token that may read is enough.

    Args:
        repository: "user/name".
        quiet: no progress bar.
        api: client; by default one with the environment's token.

    Raises:
        UserError: there is no such repository, no series in it, or the Hub cannot be asked.
    """
    api = api or HfApi(library_name="hf-grok")
    try:
        return _verify(api, repository, quiet)
    except UserError:
        raise
    except HUB_ERRORS as error:
        token = api.token if isinstance(api.token, str) else get_token()
        reason = mask_tokens(in_words(error, repository, "read"), token)
        # Without its cause, whose text would stand unmasked in a traceback.
        raise UserError(f"{repository} could not be verified: {reason}") from None


def _verify(api: HfApi, repository: str, quiet: bool) -> Report:
    refs = api.list_repo_refs(repository)
    branches = {ref.name: ref.target_commit for ref in refs.branches}
    tags = {ref.name: ref.target_commit for ref in refs.tags}
    index = read_index(api, repository, branches.get(MAIN))
    steps = steps_among({**tags, **branches}, index)
    if not steps:
        raise UserError(
            f"{repository} holds no series: expected branches or tags such as step1000, found "
            f"{', '.join(sorted(branches)[:8])}"
        )
    heads = {**tags, **branches}
    rest = {name: commit for name, commit in branches.items() if name not in steps and name != MAIN}
    found, others = [], moved_tags(index, branches, tags)
    with tqdm(total=len(steps) + len(rest), desc="verifying", unit="rev", disable=quiet) as bar:
        for name, (stage, step) in steps.items():
            found.append(read_revision(api, repository, name, heads[name], stage, step))
            bar.update()
        for name, commit in rest.items():
            others += foreign(api, repository, name, commit)
            bar.update()
    if index and MAIN in branches:
        others += _main_problems(api, repository, branches[MAIN], index)
    return judge(repository, found, index, others)


def steps_among(names: Mapping[str, str], index: Index | None) -> dict[str, tuple[str, int]]:
    """Revision -> (stage, step), by the index's template, else by the names that others use."""
    found = {}
    template = RevisionTemplate(index.template) if index else None
    for name in names:
        if template is not None:
            step = template.step(name)
            if step is not None:
                found[name] = ("", step)
        elif (known := known_step(name)) is not None:
            found[name] = (known.stage, known.step)
    return found


def read_revision(
    api: HfApi, repository: str, name: str, commit: str, stage: str, step: int
) -> FoundRevision:
    """Weights' hashes, sizes and manifest of one revision."""
    tree = tree_of(api, repository, commit)
    weights = facts_in(api, repository, commit, weights_in(tree))
    manifest, problems = _manifest(api, repository, name, commit, tree)
    return FoundRevision(
        name=name,
        step=step,
        stage=stage,
        weights={file: facts.sha256 for file, facts in weights.items()},
        sizes={file: entry.size for file, entry in tree.items()},
        manifest=manifest,
        problems=problems,
    )


def _manifest(
    api: HfApi, repository: str, name: str, commit: str, tree: Tree
) -> tuple[Manifest | None, tuple[Problem, ...]]:
    if SERIES_FILE not in tree:
        return None, ()
    try:
        text = read_text(api, repository, SERIES_FILE, commit)
        return Manifest.from_json(text, SERIES_FILE), ()
    except SeriesError as error:
        return None, (Problem("unreadable", name, str(error)),)


def foreign(api: HfApi, repository: str, name: str, commit: str) -> list[Problem]:
    """A branch that is no step and holds weights."""
    weights = weights_in(tree_of(api, repository, commit))
    return [Problem("foreign", name, f"holds {', '.join(weights)}")] if weights else []


def moved_tags(
    index: Index | None, branches: Mapping[str, str], tags: Mapping[str, str]
) -> list[Problem]:
    """Branches that no longer are where their tag pins them."""
    if index is None:
        return []
    template, problems = RevisionTemplate(index.template), []
    for entry in index.steps:
        tag, head = tags.get(template.tag(entry.step)), branches.get(entry.revision)
        if tag is not None and head is not None and tag != head:
            detail = f"the branch is at {head[:8]}, its tag at {tag[:8]}"
            problems.append(Problem("moved", entry.revision, detail))
    return problems


def _main_problems(api: HfApi, repository: str, commit: str, index: Index) -> list[Problem]:
    """`main` must hold the weights of the last step of the index."""
    files = weights_in(tree_of(api, repository, commit))
    held = {name: f.sha256 for name, f in facts_in(api, repository, commit, files).items()}
    last = index.steps[-1] if index.steps else None
    if last is None or held == dict(last.weights):
        return []
    return [Problem("mislabelled", MAIN, f"its weights are not those of {last.revision}")]

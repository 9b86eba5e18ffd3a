"""A series on the Hub, looked at through the tree API: hashes without downloading weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from huggingface_hub import HfApi
from tqdm import tqdm

from hf_grok.errors import UserError
from hf_grok.series.errors import SeriesError
from hf_grok.series.hub.asking import asking
from hf_grok.series.hub.contents import Contents
from hf_grok.series.hub.remote_tree import Tree, read_index, read_text, tree_of, weights_in
from hf_grok.series.hub.repository import PAGES
from hf_grok.series.local.manifest import SERIES_FILE, Index, Manifest
from hf_grok.series.local.safety import holds_model
from hf_grok.series.naming import MAIN, STEP, RevisionTemplate, pin_of
from hf_grok.series.revision_names import KnownStep, NameReader
from hf_grok.series.verify.judging import judge
from hf_grok.series.verify.main import main_problems
from hf_grok.series.verify.report import FoundRevision, Problem, Report


def verify_hub(
    repository: str,
    *,
    revisions: str | None = None,
    quiet: bool = False,
    api: HfApi | None = None,
) -> Report:
    """Look at every revision of a repository; a token that may read is enough.

    Of files in large-file storage the Hub says the sha256; of the small ones it says git's name,
    and each of them is downloaded once to be hashed, in however many revisions it stands.

    Args:
        repository: "user/name".
        revisions: a regular expression for the names of steps, with one group for the step.
        quiet: no progress bar.
        api: client; by default one with the environment's token.

    Raises:
        UserError: there is no such repository, no series in it, or the Hub cannot be asked.
    """
    with asking(repository, "could not be verified", api):
        return _Look(api or HfApi(library_name="hf-grok"), repository, revisions).report(quiet)


class _Look:
    """One repository while it is looked at."""

    def __init__(self, api: HfApi, repository: str, pattern: str | None) -> None:
        self.api, self.repository = api, repository
        refs = api.list_repo_refs(repository)
        self.branches = {ref.name: ref.target_commit for ref in refs.branches}
        self.tags = {ref.name: ref.target_commit for ref in refs.tags}
        self.heads = {**self.tags, **self.branches}
        self.index, self.unreadable = self._index()
        template = RevisionTemplate(self.index.template) if self.index else None
        self.counts_steps = template is None or template.field == STEP
        self.names = NameReader(template, pattern).read(self.heads)
        self.contents = Contents(api, repository)
        self.trees: dict[str, Tree] = {}

    def _index(self) -> tuple[Index | None, list[Problem]]:
        """The index on main; none, and why, where it cannot be read."""
        try:
            return read_index(self.api, self.repository, self.branches.get(MAIN)), []
        except SeriesError as error:
            return None, [Problem("unreadable", MAIN, str(error))]

    @cached_property
    def steps(self) -> dict[str, KnownStep]:
        """Revision -> its place: by its name; else by the index, or by what it says of itself."""
        # A name that counts words says no step of ours: which one it is, index and manifest say.
        by_name = self.index is None or self.counts_steps
        found = dict(self.names.steps) if by_name else {}
        for entry in self.index.steps if self.index else ():
            if entry.revision in self.heads and entry.revision not in found:
                found[entry.revision] = KnownStep("", entry.step)
        if self.index is None or not by_name:  # it may have been deleted, and with it the template
            for name in self.rest(found):
                manifest, _ = self.manifest(name)
                if manifest is not None and manifest.revision == name:
                    found[name] = KnownStep("", manifest.step)
        return found

    def rest(self, steps: Mapping[str, KnownStep]) -> list[str]:
        """Branches that are no steps."""
        return [name for name in self.branches if name not in steps and name != MAIN]

    def report(self, quiet: bool) -> Report:
        """What is there and what is wrong with it.

        Raises:
            UserError: no revision is a step.
        """
        if not self.steps:
            raise UserError(
                f"{self.repository} holds no series: expected branches or tags such as step1000, "
                f"found {', '.join(sorted(self.heads)[:8])}; --revisions REGEX, with one group for "
                "the step, reads other names"
            )
        found, others = [], [*self.unreadable, *self.moved_tags(), *self.shadowed()]
        rest = self.rest(self.steps)
        with tqdm(
            total=len(self.steps) + len(rest), desc="verifying", unit="rev", disable=quiet
        ) as bar:
            for name, known in self.steps.items():
                found.append(self.revision(name, known))
                bar.update()
            for name in rest:
                others += self.foreign(name)
                bar.update()
        others += self.foreign_tags(found)
        if MAIN in self.branches and not self.unreadable:
            trees = {revision.name: self.tree(revision.name) for revision in found}
            others += main_problems(self.tree(MAIN), trees, found, self.index, self.contents_of)
        left_out = self.names.what_is_left_out() if self.index is None else None
        return judge(self.repository, found, self.index, others, left_out=left_out)

    def tree(self, name: str) -> Tree:
        """The files of a branch or tag."""
        if name not in self.trees:
            self.trees[name] = tree_of(self.api, self.repository, self.heads[name])
        return self.trees[name]

    def contents_of(self, name: str, files: Tree) -> dict[str, str]:
        """File -> sha256."""
        return self.contents.hashes(self.heads[name], files)

    def revision(self, name: str, known: KnownStep) -> FoundRevision:
        """Hashes, sizes and manifest of one revision."""
        tree = self.tree(name)
        manifest, problems = self.manifest(name)
        weights = weights_in(tree)
        listed = set(manifest.files) - set(weights) if manifest else set()
        small = {file: entry for file, entry in tree.items() if file in listed}
        return FoundRevision(
            name=name,
            step=known.step,
            stage=known.stage,
            unit=known.unit,
            weights=self.contents_of(name, weights),
            sizes={file: entry.size for file, entry in tree.items()},
            hashes=self.contents_of(name, small),
            pages={page: tree[page].blob for page in PAGES if page in tree},
            manifest=manifest,
            problems=problems,
        )

    def manifest(self, name: str) -> tuple[Manifest | None, tuple[Problem, ...]]:
        """What a revision says of itself, or why that cannot be read."""
        if SERIES_FILE not in self.tree(name):
            return None, ()
        try:
            text = read_text(self.api, self.repository, SERIES_FILE, self.heads[name])
            return Manifest.from_json(text, SERIES_FILE), ()
        except SeriesError as error:
            return None, (Problem("unreadable", name, str(error)),)

    def foreign(self, name: str) -> list[Problem]:
        """A branch that is no step and holds a model, in whichever format."""
        held = sorted(file for file in self.tree(name) if holds_model(file))
        return [Problem("foreign", name, f"holds {', '.join(held)}")] if held else []

    def foreign_tags(self, found: list[FoundRevision]) -> list[Problem]:
        """Tags that hold weights of no step: of a series that keeps an index, all are known."""
        if self.index is None:
            return []
        known = [set(revision.weights.values()) for revision in found]
        known += [set(entry.weights.values()) for entry in self.index.steps]
        problems = []
        for name in self.tags:
            if name in self.steps or name in self.branches:
                continue
            held = {file for file in self.tree(name) if holds_model(file)}
            hashes = self.contents_of(name, {f: self.tree(name)[f] for f in held})
            if held and set(hashes.values()) not in known:
                problems.append(Problem("foreign", name, f"a tag; holds {', '.join(sorted(held))}"))
        return problems

    def moved_tags(self) -> list[Problem]:
        """Branches that no longer are where their tag pins them."""
        problems: list[Problem] = []
        if self.index is None:
            return problems
        for entry in self.index.steps:
            tag, head = self.tags.get(pin_of(entry.revision)), self.branches.get(entry.revision)
            if tag is not None and head is not None and tag != head:
                detail = f"the branch is at {head[:8]}, its tag at {tag[:8]}"
                problems.append(Problem("moved", entry.revision, detail))
        return problems

    def shadowed(self) -> list[Problem]:
        """Names that are a branch's and a tag's and stand for two commits."""
        return [
            Problem("moved", name, f"the branch is at {head[:8]}, a tag of its name at {tag[:8]}")
            for name, head in self.branches.items()
            if (tag := self.tags.get(name, head)) != head
        ]

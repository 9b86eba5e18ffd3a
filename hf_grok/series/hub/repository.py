"""One repository on the Hub as the home of a series: a branch a step, `main` the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.utils import validate_repo_id

from hf_grok.series.errors import PushingStopsError, RefusedStepError, SeriesError
from hf_grok.series.hub.remote_tree import (
    HUB_OWN,
    RemoteFile,
    Tree,
    read_index,
    read_manifest,
    read_text,
    tree_of,
    weights_in,
)
from hf_grok.series.local.manifest import CARD_FILE, SERIES_FILE, Index, Manifest
from hf_grok.series.local.safety import OPTIMISER_FILES, SecretScan, is_weights
from hf_grok.series.naming import MAIN

PAGES = (SERIES_FILE, CARD_FILE)
Before = Callable[[], None]


@dataclass(frozen=True)
class Pushed:
    """A revision as it was seen to be.

    Attributes:
        commit: at which.
        tree: what it held there.
    """

    commit: str
    tree: Tree

    def pages(self) -> dict[str, str]:
        """Git's names of series.json and README.md, which the index keeps."""
        return {name: self.tree[name].blob for name in PAGES if name in self.tree}


class SeriesHub:
    """What pushing needs of a repository; every method may be called again after it failed.

    Args:
        repository: "name" or "user/name".
        private: make it so, and refuse to push to a public one.
        token: None for the environment's or the hub's own store.
        before_commit: called before each commit is sent.
    """

    def __init__(
        self,
        repository: str,
        *,
        private: bool = True,
        token: str | None = None,
        before_commit: Before = lambda: None,
    ) -> None:
        self.repository, self.private = repository, private
        self.api = HfApi(token=token, library_name="hf-grok")
        self.before_commit = before_commit
        self._empty: str | None = None
        self._scan = SecretScan()

    def prepare(self) -> None:
        """Make the repository where it is not there, and know its full name.

        Raises:
            PushingStopsError: it is public and should be private; its first commit holds weights,
                so that every new branch would begin with them.
        """
        if self._empty is not None:
            return
        url = self.api.create_repo(self.repository, private=self.private, exist_ok=True)
        self.repository = url.repo_id
        info = self.api.repo_info(self.repository)
        if self.private and not info.private:
            raise PushingStopsError(
                f"{self.repository} is public, and a series is private unless you say otherwise: "
                "pass private=False (hf-grok push --public), or make the repository private"
            )
        self.private = bool(info.private)
        first = self.api.list_repo_commits(self.repository, revision=MAIN)[-1].commit_id
        if weights_in(tree_of(self.api, self.repository, first)):
            raise PushingStopsError(
                f"the first commit of {self.repository} holds weights, and every branch of a "
                "series begins there: push to a new repository"
            )
        self._empty = first

    def heads(self) -> dict[str, str]:
        """Branch -> commit."""
        refs = self.api.list_repo_refs(self.repository)
        return {ref.name: ref.target_commit for ref in refs.branches}

    def index(self) -> Index | None:
        """The index on `main`; None where there is none yet.

        Raises:
            PushingStopsError: it cannot be read, so that nobody knows what stands here.
        """
        self.prepare()
        try:
            return read_index(self.api, self.repository, self.heads().get(MAIN))
        except SeriesError as error:
            raise PushingStopsError(
                f"{error}: fix the file on main of {self.repository}, or remove it there"
            ) from None

    def manifest(self, revision: str) -> Manifest | None:
        """What a branch says that it holds; None where it is gone or says nothing.

        Raises:
            SeriesError: its series.json cannot be read.
        """
        return read_manifest(self.api, self.repository, self.heads().get(revision))

    def push_step(self, revision: str, folder: Path, message: str) -> Pushed:
        """Make the branch hold exactly the files of `folder`; nothing is sent if it does already.

        A card that the branch has got stays as it is, whoever has changed it since.

        Raises:
            RefusedStepError: the branch holds other weights.
            SeriesError: what the Hub took is not what was sent.
        """
        self.prepare()
        head = self.heads().get(revision)
        if head is None:
            self.api.create_branch(
                self.repository, branch=revision, revision=self._empty, exist_ok=True
            )
            head = self.heads()[revision]
        tree = tree_of(self.api, self.repository, head)
        self._refuse_other_weights(revision, tree, folder)
        files = {path.name: path for path in sorted(folder.iterdir())}
        if head != self._empty and CARD_FILE in tree:
            files.pop(CARD_FILE, None)
        foreign = set(tree) - set(files) - {HUB_OWN, CARD_FILE}
        return self._commit(revision, head, tree, files, foreign, message)

    def push_main(
        self, folder: Path, further: dict[str, bytes], card: Callable[[str | None], str]
    ) -> Pushed:
        """Make `main` hold the files of the last step, the index and the series' card.

        Other files that people put there stay, weights of another step do not.

        Args:
            folder: of the last step.
            further: files, path -> content.
            card: the new README.md, from the one that stands there.
        """
        self.prepare()
        head = self.heads()[MAIN]
        tree = tree_of(self.api, self.repository, head)
        old = read_text(self.api, self.repository, CARD_FILE, head) if CARD_FILE in tree else None
        files: dict[str, Path | bytes] = {
            **{path.name: path for path in sorted(folder.iterdir())},
            **further,
            CARD_FILE: card(old).encode(),
        }
        states = {name for name in tree if is_weights(name) or name in OPTIMISER_FILES}
        message = f"{folder.name} is the last step"
        return self._commit(MAIN, head, tree, files, states - set(files), message)

    def pin(self, tag: str, commit: str) -> None:
        """Tag a commit; a tag that is there already stays."""
        self.api.create_tag(self.repository, tag=tag, revision=commit, exist_ok=True)

    def _refuse_other_weights(self, revision: str, tree: Tree, folder: Path) -> None:
        other = [name for name, file in weights_in(tree).items() if not file.equals(folder / name)]
        if other:
            raise RefusedStepError(
                f"branch {revision} of {self.repository} holds other weights already "
                f"({', '.join(other)}): a step is published once. Delete the branch if it is not "
                "worth keeping, or push to another repository."
            )

    def _commit(
        self,
        revision: str,
        head: str,
        tree: Tree,
        files: dict[str, Path] | dict[str, Path | bytes],
        foreign: set[str],
        message: str,
    ) -> Pushed:
        changed = [name for name, content in files.items() if not _same(tree.get(name), content)]
        if not changed and not foreign:
            return Pushed(head, tree)
        operations: list[CommitOperationAdd | CommitOperationDelete] = [
            *(CommitOperationAdd(name, files[name]) for name in changed),
            *(CommitOperationDelete(name) for name in sorted(foreign)),
        ]
        self._refuse_secrets(revision, {name: files[name] for name in changed})
        self.before_commit()
        # A stale parent_commit is refused: a commit whose answer was lost is never made twice.
        info = self.api.create_commit(
            self.repository,
            operations,
            commit_message=message,
            revision=revision,
            parent_commit=head,
        )
        return self._check(revision, str(info.oid), files, foreign)

    def _refuse_secrets(self, revision: str, files: Mapping[str, Path | bytes]) -> None:
        """The last look at what is sent, wherever it comes from."""
        token = self.api.token if isinstance(self.api.token, str) else None
        for name, content in files.items():
            if self._scan.concerns(name):
                text = content.read_bytes() if isinstance(content, Path) else content
                self._scan.refuse(text, f"{name} of {revision}", [token] if token else [])

    def _check(
        self,
        revision: str,
        commit: str,
        files: dict[str, Path] | dict[str, Path | bytes],
        foreign: set[str],
    ) -> Pushed:
        tree = tree_of(self.api, self.repository, commit)
        wrong = [name for name, content in files.items() if not _same(tree.get(name), content)]
        wrong += sorted(foreign & set(tree))
        if wrong:
            raise SeriesError(
                f"{', '.join(wrong)} on branch {revision} of {self.repository} (commit "
                f"{commit[:8]}) is not as it was sent"
            )
        return Pushed(commit, tree)


def check_repository_name(repository: str) -> str:
    """The name, if the Hub would take it.

    Raises:
        SeriesError: it would not.
    """
    try:
        validate_repo_id(repository)
    except ValueError as error:
        raise SeriesError(
            f'repository {repository!r}: expected "name" or "user/name" ({error})'
        ) from error
    return repository


def _same(there: RemoteFile | None, here: Path | bytes) -> bool:
    if there is None:
        return False
    if isinstance(here, Path):
        return there.equals(here)
    return there.matches(here)

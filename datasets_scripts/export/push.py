"""An export as a data set of the Hub: one commit of Parquet files and a card.

Private unless said otherwise. A repository holds one configuration; what a person wrote into its
card is kept, and data that this package did not put there is never touched.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, OfflineModeIsEnabled
from huggingface_hub.utils import httpx

from hf_grok.datasets_scripts.builder.base import GrammarBuilder
from hf_grok.datasets_scripts.export.parquet import Export, export
from hf_grok.errors import UserError
from hf_grok.model_cards import MARKER, merge, validate
from hf_grok.model_cards.preserved import split_readme
from hf_grok.model_cards.scrub import TOKEN_REMOVED, scrub
from hf_grok.model_cards.validation import check_repository
from hf_grok.text.credentials import mask

README = "README.md"
_KIND = "dataset"
_DATA = (".parquet", ".csv", ".json", ".jsonl", ".arrow", ".tsv", ".txt", ".zip")


@dataclasses.dataclass(frozen=True)
class Pushed:
    """What stands on the Hub now.

    Attributes:
        repo_id: with its namespace.
        url: of the data set.
        commit: that was made.
        private: whether only its owner sees it.
    """

    repo_id: str
    url: str
    commit: str
    private: bool


def push(exported: Export, repo_id: str, *, private: bool | None = None) -> Pushed:
    """Put an export on the Hub, with the token of the environment or of `hf auth login`.

    Args:
        exported: by `hf_grok.datasets_scripts.export.parquet.export`.
        repo_id: "name" or "user/name"; made if it is not there.
        private: None: private where the repository is made, as it is where it is there.

    Raises:
        UserError: a name that cannot be; a repository that holds other data, or is not as private
            as was asked; a README whose markers or metadata are broken; no token, no right to
            write, no connection.
    """
    check_repository(repo_id)
    with hub_errors(repo_id):
        api = HfApi()
        made = api.create_repo(
            repo_id, repo_type=_KIND, private=private is not False, exist_ok=True
        )
        name = made.repo_id
        info = api.dataset_info(name)
        check_visibility(name, bool(info.private), private)
        found = [file.rfilename for file in info.siblings or []]
        old = _old_readme(api, name, str(info.sha)) if README in found else None
        stale = _stale_files(name, found, old, exported)
        commit = api.create_commit(
            name,
            _operations(exported, name, old, stale),
            commit_message=f"{exported.card.generator}: {exported.card.config}",
            repo_type=_KIND,
            # Whoever changes the card meanwhile is not overwritten.
            parent_commit=info.sha,
        )
    return Pushed(name, str(made), commit.oid, bool(info.private))


def push_builder(
    builder: GrammarBuilder,
    repo_id: str,
    *,
    private: bool | None = None,
    num_proc: int | None = None,
) -> Pushed:
    """Export a builder's data to a folder that does not stay, and `push` it.

    Raises:
        UserError: as `export` and `push`.
    """
    with tempfile.TemporaryDirectory() as folder:
        exported = export(builder, Path(folder) / "export", num_proc=num_proc)
        return push(exported, repo_id, private=private)


@contextmanager
def hub_errors(repo_id: str) -> Iterator[None]:
    """What goes wrong with the Hub, as one message without a token in it.

    Raises:
        UserError: whatever the Hub, or the way to it, refused within.
    """
    try:
        yield
    except (HfHubHTTPError, OfflineModeIsEnabled, httpx.HTTPError, OSError) as error:
        known = [token for token in [get_token()] if token]
        said = scrub(" ".join(mask(str(error), known, TOKEN_REMOVED).split()))
        raise UserError(
            f"could not push to {repo_id}: {said}. Writing takes a token with the right to write "
            "(HF_TOKEN, or hf auth login) and a connection; pushing again is safe."
        ) from None


def check_visibility(name: str, is_private: bool, wanted: bool | None) -> None:
    """Refuse a repository that is not as private as was asked.

    Raises:
        UserError: it is public and should be private, or the reverse.
    """
    if wanted is not None and wanted != is_private:
        kinds = {True: "private", False: "public"}
        raise UserError(
            f"{name} is {kinds[is_private]} and was asked to be {kinds[wanted]}: change it on its "
            "settings page, or push to another repository. Nothing was pushed."
        )


def _old_readme(api: HfApi, name: str, revision: str) -> str | None:
    try:
        path = api.hf_hub_download(name, README, repo_type=_KIND, revision=revision)
    except EntryNotFoundError:
        return None
    return Path(path).read_text(encoding="utf-8")


def _stale_files(name: str, found: list[str], old: str | None, exported: Export) -> list[str]:
    """Files of an earlier push of the same configuration that the new export lacks.

    Raises:
        UserError: the repository holds data that is none of ours, or another configuration.
    """
    earlier = _earlier_files(old)
    folder = exported.card.config
    foreign = [
        path
        for path in found
        if PurePosixPath(path).suffix in _DATA
        and not (path in earlier and PurePosixPath(path).parts[0] == folder)
    ]
    if foreign:
        raise UserError(
            f"{name} holds data that is not an earlier push of this configuration "
            f"({', '.join(foreign[:3])}): push {folder!r} to a repository of its own"
        )
    return [path for path in earlier if path in found and path not in exported.files]


def _earlier_files(readme: str | None) -> list[str]:
    """The data files that a README of ours lists; none for any other."""
    metadata = split_readme(readme)[0] if readme else {}
    configs: Any = metadata.get("configs")
    if MARKER not in (metadata.get("tags") or ()) or not isinstance(configs, list):
        return []
    listed = [item for config in configs for item in config.get("data_files") or ()]
    return [str(item["path"]) for item in listed if isinstance(item, dict) and "path" in item]


def _operations(
    exported: Export, name: str, old: str | None, stale: list[str]
) -> list[CommitOperationAdd | CommitOperationDelete]:
    card = dataclasses.replace(exported.card, repo_id=name)
    readme = validate(merge(card.render(), old), _KIND)
    data = [path for path in exported.files if path != README]
    return [
        CommitOperationAdd(README, readme.encode()),
        *(CommitOperationAdd(path, os.fspath(exported.folder / path)) for path in data),
        *(CommitOperationDelete(path) for path in stale),
    ]

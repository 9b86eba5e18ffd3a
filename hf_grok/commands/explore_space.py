"""The page of `hf-grok explore` as a static Space of the Hub: a card and one file."""

from __future__ import annotations

import html
import json
import os
import re
from pathlib import Path

from huggingface_hub import CommitOperationAdd, HfApi

from hf_grok.datasets_scripts.export.push import Pushed, check_visibility, hub_errors
from hf_grok.errors import UserError
from hf_grok.model_cards import MARKER
from hf_grok.model_cards.validation import check_repository

KIND = "space"
PAGE, README = "index.html", "README.md"
# What the Hub itself puts into a new one.
_ITS_OWN = {".gitattributes", README, PAGE, "style.css"}


def push_space(page: Path, repo_id: str, *, private: bool | None = None) -> Pushed:
    """Put a page on the Hub as a static Space, with the token of the environment or of the login.

    Args:
        page: that `write_explorer` wrote.
        repo_id: "name" or "user/name"; made if it is not there.
        private: None: private where the Space is made, as it is where it is there.

    Raises:
        UserError: a name that cannot be; a Space that holds something else, or is not as private
            as was asked; no token, no right to write, no connection.
    """
    check_repository(repo_id)
    with hub_errors(repo_id):
        api = HfApi()
        made = api.create_repo(
            repo_id,
            repo_type=KIND,
            space_sdk="static",
            private=private is not False,
            exist_ok=True,
        )
        info = api.space_info(made.repo_id)
        check_visibility(made.repo_id, bool(info.private), private)
        _check_content(api, made.repo_id, [file.rfilename for file in info.siblings or []])
        operations = [
            CommitOperationAdd(README, card(title_of(page)).encode()),
            CommitOperationAdd(PAGE, os.fspath(page)),
        ]
        commit = api.create_commit(
            made.repo_id,
            operations,
            commit_message="hf-grok explore",
            repo_type=KIND,
            parent_commit=info.sha,
        )
    return Pushed(made.repo_id, str(made), commit.oid, bool(info.private))


def card(title: str) -> str:
    """The README that makes a repository a static Space; a text in JSON is one in YAML too."""
    lines = [
        f"title: {json.dumps(title)}",
        "sdk: static",
        f"app_file: {PAGE}",
        f"tags: [{MARKER}]",
    ]
    said = "Training runs to be asked: every curve, and trees and attention maps at every step."
    return "\n".join(["---", *lines, "---", "", said, "", "Made with `hf-grok explore`.", ""])


def title_of(page: Path) -> str:
    """The page's title, as text."""
    found = re.search(r"<title>(.*?)</title>", page.read_text(encoding="utf-8"), re.DOTALL)
    return html.unescape(found[1]) if found else page.stem


def _check_content(api: HfApi, name: str, files: list[str]) -> None:
    foreign = sorted(set(files) - _ITS_OWN)
    if not foreign and (PAGE not in files or _is_ours(api, name)):
        return
    raise UserError(
        f"the Space {name} holds something that is no page of hf-grok explore "
        f"({', '.join((foreign or [PAGE])[:3])}): name another one. Nothing was pushed."
    )


def _is_ours(api: HfApi, name: str) -> bool:
    """Whether the card says so; a Space that was just made holds the Hub's own page and no commit.

    The Hub's own README names no tag of ours, but then its page is the one that it made.
    """
    text = Path(api.hf_hub_download(name, README, repo_type=KIND)).read_text(encoding="utf-8")
    new = len(api.list_repo_commits(name, repo_type=KIND)) == 1
    return new or f"tags: [{MARKER}]" in text

"""sha256 of the files of a repository, each content looked at once."""

from __future__ import annotations

import hashlib

from huggingface_hub import HfApi

from hf_grok.series.hub.remote_tree import Tree, read_remote


class Contents:
    """Of large files the Hub says the sha256; of what git itself keeps it says git's name.

    Two files of one git name have one content, so a configuration that stands in every revision is
    downloaded and hashed once.

    Args:
        api: client.
        repository: "user/name".
    """

    def __init__(self, api: HfApi, repository: str) -> None:
        self._api, self._repository = api, repository
        self._known: dict[str, str] = {}

    def hashes(self, commit: str, files: Tree) -> dict[str, str]:
        """File -> sha256.

        Args:
            commit: that holds the files.
            files: which.
        """
        return {
            name: file.sha256 or self._of_blob(file.blob, name, commit)
            for name, file in sorted(files.items())
        }

    def _of_blob(self, blob: str, name: str, commit: str) -> str:
        if blob not in self._known:
            content = read_remote(self._api, self._repository, name, commit)
            self._known[blob] = hashlib.sha256(content).hexdigest()
        return self._known[blob]

"""Pointing the libraries of this very process at a server, and back.

They read their environment when they are imported, so the names it went to are changed.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import HfFileSystem, close_session, constants, file_download, hf_api
from huggingface_hub.utils import _http

# huggingface_hub's own upload of large files makes its HTTP client say this.
_ITS_OWN = "Use 'content=<...>' to upload raw bytes/text content"


@contextmanager
def patched(url: str, home: Path, token: str) -> Iterator[None]:
    """Within, huggingface_hub, transformers and datasets talk to `url` and cache in `home`."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=_ITS_OWN, category=DeprecationWarning)
        close_session()
        _patch_hub(patch, url, home, token)
        if "datasets" in sys.modules:
            _patch_datasets(patch, url, home)
        yield
        HfFileSystem.clear_instance_cache()
        close_session()  # its connections, which would else wait for a server that has gone


def _patch_hub(patch: pytest.MonkeyPatch, url: str, home: Path, token: str) -> None:
    patch.setenv("HF_TOKEN", token)
    patch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    patch.setattr(constants, "HF_HUB_OFFLINE", False)
    patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    patch.setattr(constants, "HF_HUB_DISABLE_TELEMETRY", True)
    patch.setattr(constants, "HF_HOME", str(home))
    patch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    patch.setattr(hf_api.api, "endpoint", url)  # the one behind create_repo() and its like
    if "transformers.utils.hub" in sys.modules:  # which keeps a client of an earlier endpoint
        patch.setattr(sys.modules["transformers.utils.hub"], "_hf_api", None, raising=False)


def _patch_datasets(patch: pytest.MonkeyPatch, url: str, home: Path) -> None:
    from datasets import config

    patch.setattr(config, "HF_ENDPOINT", url)
    patch.setattr(config, "HUB_DATASETS_URL", url + "/datasets/{repo_id}/resolve/{revision}/{path}")
    patch.setattr(config, "HF_HUB_OFFLINE", False)
    patch.setattr(config, "HF_DATASETS_OFFLINE", False)
    patch.setattr(config, "HF_DATASETS_CACHE", home / "datasets")


@contextmanager
def no_waiting() -> Iterator[list[float]]:
    """Within, the client's own retries do not sleep; what they would have slept is listed."""
    waits: list[float] = []
    clock = SimpleNamespace(**vars(time) | {"sleep": waits.append})
    with pytest.MonkeyPatch.context() as patch:
        for module in (_http, file_download):
            patch.setattr(module, "time", clock)
        yield waits

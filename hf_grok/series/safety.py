"""What may be read and pushed, where it may be written, and what must never be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath

from hf_grok.series.errors import RefusedStepError, SeriesError

MASK = "hf_***"
_TOKEN = re.compile(r"\b(?:hf|api_org)_[A-Za-z0-9]{16,}")
_BEARER = re.compile(r"(?i)\bbearer\s+[^\s'\"]+")

# Formats that run code when they are read, or may.
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5")
OPTIMISER_FILES = ("optimizer.pt", "scheduler.pt")
# What Trainer keeps for its own resuming. It is never pushed, so its format is no reason to refuse.
_BOOKKEEPING = re.compile(
    r"training_args\.bin|optimizer\.(pt|bin)|scheduler\.pt|scaler\.pt|"
    r"rng_state(_\d+)?\.pth"
)
_WEIGHTS_IN_PICKLES = re.compile(r"(.*/)?(pytorch_model|model|adapter_model|consolidated).*")


def mask_tokens(text: str, token: str | None = None) -> str:
    """`text` without access tokens: what looks like one, what follows "Bearer", and `token`."""
    if token:
        text = text.replace(token, MASK)
    return _TOKEN.sub(MASK, _BEARER.sub(f"Bearer {MASK}", text))


def is_weights(name: str) -> bool:
    """Whether a file of a repository holds weights, in whichever format."""
    if name.endswith(".safetensors"):
        return True
    return name.endswith(PICKLES) and bool(_WEIGHTS_IN_PICKLES.fullmatch(name))


def refuse_pickles(names: Iterable[str], where: str) -> None:
    """Refuse a checkpoint with files that can run code when they are loaded.

    Raises:
        RefusedStepError: names them, and how to have safetensors instead.
    """
    unsafe = sorted(n for n in names if n.endswith(PICKLES) and not _BOOKKEEPING.fullmatch(n))
    if unsafe:
        raise RefusedStepError(
            f"{where} holds {', '.join(unsafe)}: such files can run code when they are loaded, so "
            "a series has weights in safetensors only. Save with model.save_pretrained, or remove "
            "the files if model.safetensors stands beside them."
        )


def safe_path(folder: Path, name: str) -> Path:
    """Where file `name` of a repository goes below `folder`.

    Raises:
        SeriesError: the name would lead out of the folder: absolute, "..", a backslash, a drive,
            or through a symbolic link.
    """
    windows, parts = PureWindowsPath(name), PurePosixPath(name).parts
    plain = bool(parts) and not (windows.drive or windows.root or name.startswith("/"))
    if not plain or "\\" in name or "\0" in name or ".." in parts:
        raise SeriesError(f"file name {name!r}: expected a relative path without .. or backslashes")
    target = folder.joinpath(*parts)
    if not target.resolve().is_relative_to(folder.resolve()):
        raise SeriesError(f"file name {name!r} leads out of its folder through a symbolic link")
    return target

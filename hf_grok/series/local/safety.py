"""What may be read and pushed, where it may be written, and what must never be shown."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from hf_grok.runs import folder as folders
from hf_grok.series.errors import RefusedStepError, SeriesError
from hf_grok.text.credentials import find, mask, of_this_machine, place

# Formats that run code when they are read, or may.
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz", ".h5")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".gif")
_MODELS = (
    *PICKLES,
    *(".msgpack", ".gguf", ".ggml", ".onnx", ".onnx_data", ".hdf5", ".keras", ".pb", ".tflite"),
    *(".ot", ".mlmodel", ".nemo", ".distcp", ".engine", ".pte", ".llamafile", ".pdparams"),
    *(".tar", ".tar.gz", ".tgz", ".zip", ".7z"),
)
OPTIMISER_FILES = ("optimizer.pt", "scheduler.pt")
# What Trainer keeps for its own resuming. It is never pushed, so its format is no reason to refuse.
BOOKKEEPING = re.compile(
    r"training_args\.bin|optimizer\.(pt|bin)|scheduler\.pt|scaler\.pt|"
    r"rng_state(_\d+)?\.pth"
)
_WEIGHTS_IN_PICKLES = re.compile(r"(.*/)?(pytorch_model|model|adapter_model|consolidated).*")


def mask_tokens(text: str, token: str | None = None) -> str:
    """`text` without access tokens: what looks like one, what follows "Bearer", and `token`."""
    return mask(text, [token] if token else [])


def holds_model(name: str) -> bool:
    """Whether a file may hold a model, or run as one: of any library, in any format."""
    return is_weights(name) or name.lower().endswith(_MODELS)


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
    unsafe = sorted(n for n in names if n.endswith(PICKLES) and not BOOKKEEPING.fullmatch(n))
    if unsafe:
        raise RefusedStepError(
            f"{where} holds {', '.join(unsafe)}: such files can run code when they are loaded, so "
            "a series has weights in safetensors only. Save with model.save_pretrained, or remove "
            "the files if model.safetensors stands beside them."
        )


def refuse_secrets(content: bytes, where: str, known: Iterable[str] = ()) -> None:
    """Refuse a text with a token in it, which strangers would read.

    Args:
        content: of a file, whatever its encoding.
        where: its name.
        known: tokens of which the content is known, beside this machine's.

    Raises:
        RefusedStepError: says what was found and where, and not what it is.
    """
    text = content.replace(b"\0", b"").decode("utf-8", "replace")
    for found in find(text, (*known, *of_this_machine())):
        raise RefusedStepError(
            f"{where} holds {found.kind} ({place(text, found)}), and strangers would read it: take "
            "it out there, and revoke it if it was ever published; then push again"
        )


class SecretScan:
    """`refuse_secrets` for files of which many are the same: a content is looked through once."""

    def __init__(self) -> None:
        self._clean: set[bytes] = set()

    def refuse(self, content: bytes, where: str, known: Iterable[str] = ()) -> None:
        """Refuse the content of a file with a token in it.

        Raises:
            RefusedStepError: as `refuse_secrets`.
        """
        digest = hashlib.sha256(content).digest()
        if digest not in self._clean:
            refuse_secrets(content, where, known)
            self._clean.add(digest)

    @staticmethod
    def concerns(name: str) -> bool:
        """Whether a file of this name may be a text."""
        return not name.lower().endswith((".safetensors", *PICKLES, *_PICTURES))


def safe_path(folder: Path, name: str) -> Path:
    """Where file `name` of a repository goes below `folder`.

    Raises:
        SeriesError: the name would lead out of the folder.
    """
    return folders.safe_path(folder, name, SeriesError)

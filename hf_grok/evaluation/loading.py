"""A saved model and its tokenizer, from files that strangers wrote: no code of theirs is run."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from huggingface_hub.utils import httpx
from safetensors import SafetensorError
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import cached_file, logging

import hf_grok.models  # noqa: F401  (registers vanilla_transformer with the Auto classes)
from hf_grok.errors import UserError
from hf_grok.evaluation.adapters import ADAPTER, base_of, with_adapter
from hf_grok.series.local.safety import mask_tokens

# The end of an architecture's name -> who loads it.
_HEADS: tuple[tuple[tuple[str, ...], Any], ...] = (
    (("ForCausalLM", "LMHeadModel"), AutoModelForCausalLM),
    (("ForMaskedLM", "ForPreTraining"), AutoModelForMaskedLM),
)
# What the libraries raise at files that are broken, or that ask for what is not installed.
_AT_BROKEN_FILES = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, ImportError, LookupError),
    *(MemoryError, OSError, RuntimeError, TypeError, ValueError),
    *(pickle.PickleError, SafetensorError, StrictDataclassError, httpx.HTTPError),
)
_WHOLE = ("model.safetensors", "model.safetensors.index.json")
_NOT_HERE = ("missing_entries", "connection_errors", "gated_repo")
# Of the library's own message: the rest is advice that does not fit here, or a table.
_LONGEST = 250


def load(source: str, revision: str | None) -> tuple[nn.Module, PreTrainedTokenizerBase]:
    """The model in evaluation mode, and its tokenizer; of an adapter, on the model it adapts.

    The class is that of the configuration's `architectures`, so a masked language model comes with
    its head. Code in the repository is never run, whatever its configuration asks for.

    Args:
        source: a folder or a Hub repository.
        revision: a commit of a repository; None for a folder.

    Raises:
        UserError: files are missing, broken or of a model that cannot be loaded as it was saved.
    """
    if not _is_adapter(source, revision):
        return _loaded(source, revision, source), _tokenizer(source, revision)
    base, base_revision = base_of(_found(source, revision, ADAPTER) or "", source)
    asked = f"the model {base}, which {source} adapts ({ADAPTER})"
    model = _loaded(base, base_revision, asked)
    with _described(source):
        adapted = with_adapter(model, source, revision)
    own = _found(source, revision, "tokenizer_config.json") is not None
    tokenizer = _tokenizer(source, revision) if own else _tokenizer(base, base_revision)
    return adapted.eval(), tokenizer


def _is_adapter(source: str, revision: str | None) -> bool:
    whole = any(_found(source, revision, name) for name in _WHOLE)
    return not whole and _found(source, revision, ADAPTER) is not None


def _found(source: str, revision: str | None, name: str) -> str | None:
    """Where a file of the model is on this machine; None if the model has none of this name."""
    if Path(source).is_dir():
        path = Path(source) / name
        return str(path) if path.is_file() else None
    # What keeps it from being asked for is said where the model itself is loaded.
    silent = {f"_raise_exceptions_for_{kind}": False for kind in _NOT_HERE}
    with _described(source):
        found: str | None = cached_file(source, name, revision=revision, **silent)
    return found


def _loaded(source: str, revision: str | None, what: str) -> PreTrainedModel:
    options: dict[str, Any] = {"revision": revision} if revision else {}
    options["trust_remote_code"] = False
    with _described(what):
        config = AutoConfig.from_pretrained(source, **options)
        _refuse_foreign_kernels(config, source)
        loader = _loader(config)
        model, report = loader.from_pretrained(
            source, config=config, output_loading_info=True, **options
        )
    _refuse_random_weights(model, report["missing_keys"], source)
    evaluated: PreTrainedModel = model.eval()
    return evaluated


def _tokenizer(source: str, revision: str | None) -> PreTrainedTokenizerBase:
    options: dict[str, Any] = {"revision": revision} if revision else {}
    with _described(f"the tokenizer of {source}"):
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
            source, trust_remote_code=False, **options
        )
    return tokenizer


def _loader(config: PretrainedConfig) -> Any:
    architecture = str((config.architectures or [""])[0])
    return next((auto for ends, auto in _HEADS if architecture.endswith(ends)), AutoModel)


def _refuse_foreign_kernels(config: PretrainedConfig, source: str) -> None:
    """A name with a slash is a repository of compiled code, which the library would fetch."""
    asked = str(getattr(config, "_attn_implementation", None))
    if "/" in asked:
        raise UserError(
            f"{source} asks for the attention {asked!r}, which is code of another repository: take "
            'that out of its config.json (an attention of the library is "sdpa" or "eager")'
        )


def _refuse_random_weights(model: PreTrainedModel, missing: Any, source: str) -> None:
    """What is in no file was drawn at random. A pooler that is not there is left out."""
    names = sorted(str(name) for name in missing)
    if names and all("pooler." in name for name in names):
        owners: list[Any] = [m for m in model.modules() if getattr(m, "pooler", None) is not None]
        for owner in owners:
            owner.pooler = None
        return
    if names:
        raise UserError(
            f"{source} has no weights for {len(names)} parameters of {type(model).__name__} "
            f"({', '.join(names[:3])}, ...): they would be random numbers. Expected the files of "
            "the model that config.json describes"
        )


@contextmanager
def _described(what: str) -> Iterator[None]:
    """One line for whatever the libraries say of broken files, and none of their reports."""
    level = logging.get_verbosity()
    bars = logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    except UserError:
        raise
    except _AT_BROKEN_FILES as error:
        said = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, json.JSONDecodeError | LookupError | TypeError | AttributeError):
            said = f"{type(error).__name__}: {said}"
        short = said if len(said) <= _LONGEST else f"{said[:_LONGEST]} ..."
        # Without its cause, whose text would stand unmasked in a traceback.
        raise UserError(f"could not load {what}: {mask_tokens(short)}") from None
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()

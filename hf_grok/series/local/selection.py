"""Which files of a checkpoint are published.

A checkpoint's folder may hold anything: notes, settings with passwords, links to files elsewhere.
What is published is what a model is loaded from, by name; nothing else leaves the machine.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from hf_grok.errors import UserError
from hf_grok.runs.folder import CONFIG_FILE, MANIFEST_FILE, STATE_FILE
from hf_grok.series.errors import RefusedStepError
from hf_grok.series.local.manifest import CARD_FILE, INDEX_FILE, SERIES_FILE
from hf_grok.series.local.safety import (
    BOOKKEEPING,
    OPTIMISER_FILES,
    is_weights,
    refuse_pickles,
    refuse_secrets,
    safe_path,
)
from hf_grok.text.json_reading import read_object

# What from_pretrained of a model, a tokenizer or a processor reads. No code: the one file of it
# that a revision may carry is made anew, by `model_code`, and never taken from a checkpoint.
_CONFIGURATIONS = (
    *(CONFIG_FILE, "generation_config.json", "adapter_config.json"),
    *("preprocessor_config.json", "processor_config.json", "video_preprocessor_config.json"),
    *("audio_tokenizer_config.json", "chat_template.json", "chat_template.jinja"),
    *("modules.json", "sentence_bert_config.json", "config_sentence_transformers.json"),
)
# The vocabularies that transformers' tokenizers name in `vocab_files_names`, and what lies beside.
_TOKENIZERS = (
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "vocab.txt", "merges.txt", "vocab-src.json", "vocab-tgt.json", "dict.txt"),
    *("entity_vocab.json", "target_vocab.json", "normalizer.json", "emoji.json", "byte_maps.json"),
    *("word_shape.json", "word_pronunciation.json", "bpe.codes", "prophetnet.tokenizer"),
    *("spiece.model", "sentencepiece.bpe.model", "sentencepiece.model", "tokenizer.model"),
    *("spm.model", "spm_char.model", "source.spm", "target.spm", "tekken.json"),
)
_NAMES = frozenset((*_CONFIGURATIONS, *_TOKENIZERS))
_VARIANT = r"(?:\.[A-Za-z0-9_]+)?"
_WEIGHTS = re.compile(
    rf"(?:model|adapter_model|pytorch_model){_VARIANT}(?:-\d{{5}}-of-\d{{5}})?\.safetensors"
)
_WEIGHT_INDEX = re.compile(rf"(?:model|pytorch_model)\.safetensors\.index{_VARIANT}\.json")
_OF_A_TOKENIZER = re.compile(r"[A-Za-z0-9_-]+\.tiktoken")
# Ours, or Trainer's: they name folders of this machine, or are written anew for the series.
_LEFT_OUT = {MANIFEST_FILE, STATE_FILE, SERIES_FILE, INDEX_FILE, CARD_FILE}


def published_files(folder: Path, optimizer: bool = False) -> list[Path]:
    """The files of a checkpoint that belong into a revision, by name.

    Args:
        folder: a checkpoint.
        optimizer: also optimizer.pt and scheduler.pt, as they are.

    Raises:
        RefusedStepError: weights in a format that can run code, no weights, no configuration, a
            shard that is missing, a weights file that was cut.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    refuse_pickles(names, folder.name)
    chosen = _chosen(folder, names, optimizer)
    weights = [name for name in chosen if name.endswith(".safetensors")]
    for missing in [] if weights else ["weights (model.safetensors, or its shards)"]:
        raise RefusedStepError(f"{folder.name} holds no {missing}: found {', '.join(names)}")
    if CONFIG_FILE not in names and "adapter_config.json" not in names:
        raise RefusedStepError(
            f"{folder.name} holds no {CONFIG_FILE}, so nobody could load it: the model must be a "
            "PreTrainedModel, whose save_pretrained writes one"
        )
    for name in chosen:
        _refuse_link(folder, name)
    for name in weights:
        _check_whole(folder / name)
    return [folder / name for name in chosen]


def left_out(folder: Path, optimizer: bool = False) -> list[str]:
    """Files of a checkpoint that are not published, but for those of Trainer and of this package.

    Args:
        folder: a checkpoint.
        optimizer: as for `published_files`.
    """
    names = sorted(path.name for path in folder.iterdir())
    chosen = {*_chosen(folder, names, optimizer), *OPTIMISER_FILES, *_LEFT_OUT}
    return [name for name in names if name not in chosen and not BOOKKEEPING.fullmatch(name)]


def is_a_model(name: str) -> bool:
    """Whether a file of a checkpoint holds its model's weights; a copy by another name does not."""
    return is_weights(name) and (not name.endswith(".safetensors") or is_loaded(name))


def is_loaded(name: str) -> bool:
    """Whether from_pretrained reads a file of this name, or runs it."""
    return name.endswith(".py") or _belongs(name.rpartition("/")[2], optimizer=True)


def _chosen(folder: Path, names: list[str], optimizer: bool) -> list[str]:
    """Those of a checkpoint's files that a model is loaded from.

    Raises:
        RefusedStepError: a shard that an index of weights names is not there.
    """
    shards = {shard for name in names for shard in _shards(folder, name)}
    return [name for name in names if name in shards or _belongs(name, optimizer)]


def _belongs(name: str, optimizer: bool) -> bool:
    if name in OPTIMISER_FILES:
        return optimizer
    patterns = (_WEIGHTS, _WEIGHT_INDEX, _OF_A_TOKENIZER)
    return name in _NAMES or any(pattern.fullmatch(name) for pattern in patterns)


def _shards(folder: Path, name: str) -> list[str]:
    """The files that an index of weights names; none for any other file."""
    if not _WEIGHT_INDEX.fullmatch(name):
        return []
    named = (_json_of(folder / name) or {}).get("weight_map", {})
    shards = sorted(map(str, named.values())) if isinstance(named, dict) else []
    for shard in dict.fromkeys(shards):
        if not safe_path(folder, shard).is_file() or not shard.endswith(".safetensors"):
            raise RefusedStepError(f"{folder.name}/{name} names {shard}, which is not there")
    return shards


def _refuse_link(folder: Path, name: str) -> None:
    path = folder / name
    if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
        raise RefusedStepError(
            f"{folder.name}/{name} is a link to a file outside of the checkpoint: what is "
            "published lies in it. Put a copy in its place if the file belongs there."
        )


def _check_whole(path: Path) -> None:
    where = f"{path.parent.name}/{path.name}"
    try:
        with safe_open(path, framework="np") as tensors:
            tensors.keys()
            about = tensors.metadata() or {}
    except SafetensorError as error:
        raise RefusedStepError(f"{where} is not whole: {error}") from error
    refuse_secrets(json.dumps(about).encode(), f"the metadata of {where}")


def _json_of(path: Path) -> dict[str, Any] | None:
    """A file's JSON object; None where there is none or it was cut."""
    try:
        return read_object(path, nonfinite=True)
    except UserError:
        return None

"""A prepared builder as a folder of Parquet files with a card, for people without this package.

The folder holds `CONFIG/SPLIT-00000-of-00001.parquet` and a README whose front matter is what
`load_dataset(FOLDER)` and the Hub read. Same builder, version and seed: same bytes.
"""

from __future__ import annotations

import dataclasses
import os
import shlex
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import datasets
from datasets.info import DatasetInfosDict
from datasets.splits import SplitDict
from huggingface_hub import DatasetCardData

from hf_grok.datasets_scripts.builder.base import GrammarBuilder
from hf_grok.datasets_scripts.export.folder import check_folder, replace_files
from hf_grok.datasets_scripts.readers.minimal_pairs import FIELDS
from hf_grok.languages import Language, brought_language, name_of
from hf_grok.model_cards import DatasetCard, SplitFacts
from hf_grok.model_cards.preserved import BEGINS, keep_text
from hf_grok.packages import OURS, Brought
from hf_grok.version import __version__

# Fixed: the library's own choice depends on the bytes of the cache, so on the number of processes.
ROWS_PER_GROUP = 10_000
PAIR = FIELDS[:2]


@dataclasses.dataclass(frozen=True)
class Export:
    """What was written.

    Attributes:
        folder: where it stands.
        files: paths relative to the folder, the README last.
        card: what the README says.
    """

    folder: Path
    files: tuple[str, ...]
    card: DatasetCard


def export(
    builder: GrammarBuilder,
    folder: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    num_proc: int | None = None,
) -> Export:
    """Write a builder's data set and its card to a folder.

    Everything is written beside the folder first and moved into it at the end: an interruption
    leaves what was there.

    Args:
        builder: prepared here if it is not yet.
        folder: made if it is missing; an earlier export in it is replaced, but for what a person
            wrote between the markers of its README.
        overwrite: write into a folder that holds other files too; those stay, except files of
            the same names.
        num_proc: processes that generate; they do not change the data.

    Raises:
        UserError: the folder is a file, or holds what is no export and `overwrite` is False; no
            card knows the language.
    """
    target = Path(folder)
    check_folder(target, overwrite)
    name_of(type(builder))  # raises before any work is done
    builder.download_and_prepare(num_proc=num_proc)
    splits = builder.as_dataset()
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        files, metadata = _write_parquet(builder.config.name, splits, beside)
        card = _card(builder, splits, metadata)
        readme = _with_text_of(target / "README.md", card.render())
        (beside / "README.md").write_text(readme, encoding="utf-8", newline="\n")
        written = (*files, "README.md")
        replace_files(beside, target, written)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return Export(target, written, card)


READING_FIELDS = ("skip_bad_lines",)
"""Fields of a config that bear on data that is read from files, and on no other."""


def config_fields(builder: GrammarBuilder) -> dict[str, Any]:
    """The values of a builder's own config fields that bear on its data."""
    # Sizes and seeds say nothing about data that was read from files.
    void = builder.GENERATION_FIELDS if builder.config.data_files else READING_FIELDS
    return {
        field.name: getattr(builder.config, field.name)
        for field in own_fields(builder.BUILDER_CONFIG_CLASS)
        if field.name not in void
    }


def own_fields(config_class: type[datasets.BuilderConfig]) -> list[dataclasses.Field[Any]]:
    """The fields of a config class beyond those of every `datasets.BuilderConfig`."""
    common = {field.name for field in dataclasses.fields(datasets.BuilderConfig)}
    return [field for field in dataclasses.fields(config_class) if field.name not in common]


def changed_fields(builder: GrammarBuilder) -> tuple[str, dict[str, Any]]:
    """The named config that a builder comes nearest to by name, and the fields that differ."""
    named = {config.name: config for config in builder.BUILDER_CONFIGS}
    base = builder.config.name if builder.config.name in named else builder.DEFAULT_CONFIG_NAME
    fields = config_fields(builder)
    return base, {
        name: value for name, value in fields.items() if value != getattr(named[base], name)
    }


def describe(feature: Any) -> str:
    """A feature's type in words: "string", "list of int32", "class: decl, quest"."""
    if isinstance(feature, datasets.List):
        return f"list of {describe(feature.feature)}"
    if isinstance(feature, datasets.ClassLabel):
        return "class: " + ", ".join(feature.names)
    return str(feature.dtype)


def _with_text_of(earlier: Path, readme: str) -> str:
    if not earlier.is_file():
        return readme
    old = earlier.read_text(encoding="utf-8")
    return keep_text(readme, old) if BEGINS in old else readme


def _card(
    builder: GrammarBuilder, splits: datasets.DatasetDict, metadata: Mapping[str, Any]
) -> DatasetCard:
    name = name_of(type(builder))
    brought = brought_language(name)
    base, changed = changed_fields(builder)
    made_by = "" if brought.is_ours else f"{brought}, "
    return DatasetCard(
        language=brought.thing.card,
        config=builder.config.name,
        columns={column: describe(kind) for column, kind in builder.info.features.items()},
        splits=[_measure(split, rows) for split, rows in splits.items()],
        arguments=config_fields(builder),
        changed=tuple(changed),
        command=_command(builder, name, base, changed),
        sources=_sources(builder),
        generator=f"{made_by}{OURS} {__version__}, generator {name} {builder.config.version}",
        metadata=metadata,
        origin=_origin(builder, name, brought),
    )


def _origin(builder: GrammarBuilder, name: str, brought: Brought[Language]) -> dict[str, Any]:
    """What a stranger needs to make the same bytes again, for the metadata."""
    files = {split: list(names) for split, names in _sources(builder).items()}
    return {
        "package": brought.package,
        "package_version": brought.version,
        **({} if brought.is_ours else {OURS: __version__}),
        "name": name,
        "version": str(builder.config.version),
        "config": builder.config.name,
        "arguments": config_fields(builder),
        **({"files": files} if files else {}),
    }


def _write_parquet(
    config: str, splits: datasets.DatasetDict, folder: Path
) -> tuple[list[str], dict[str, Any]]:
    """Write every split; return the files and the README's `configs` and `dataset_info`."""
    (folder / config).mkdir()
    files, sizes = {}, {}
    for name, rows in splits.items():
        files[name] = f"{config}/{name}-00000-of-00001.parquet"
        sizes[name] = rows.to_parquet(folder / files[name], batch_size=ROWS_PER_GROUP)
    info = datasets.DatasetInfo(
        features=next(iter(splits.values())).features,
        config_name=config,
        splits=SplitDict(
            {
                name: datasets.SplitInfo(name, num_bytes=sizes[name], num_examples=len(rows))
                for name, rows in splits.items()
            }
        ),
        dataset_size=sum(sizes.values()),
        download_size=sum((folder / file).stat().st_size for file in files.values()),
    )
    return list(files.values()), _metadata(config, files, info)


def _metadata(config: str, files: Mapping[str, str], info: datasets.DatasetInfo) -> dict[str, Any]:
    data = DatasetCardData()
    DatasetInfosDict({config: info}).to_dataset_card_data(data)
    paths = [{"split": split, "path": path} for split, path in files.items()]
    configs = [{"config_name": config, "data_files": paths, "default": True}]
    return {"configs": configs, "dataset_info": data["dataset_info"]}


def _measure(name: str, rows: datasets.Dataset) -> SplitFacts:
    shown = _text_columns(rows)
    texts: Sequence[str] = rows[shown[0]][:]
    lengths = [text.count(" ") + 1 for text in texts]
    labelled = {
        column: feature.names
        for column, feature in rows.features.items()
        if isinstance(feature, datasets.ClassLabel)
    }
    return SplitFacts(
        name=name,
        examples=len(texts),
        mean_words=statistics.fmean(lengths),
        longest=max(lengths),
        example=" / ".join(rows[column][0] for column in shown),
        shares={column: _shares(rows[column][:], names) for column, names in labelled.items()},
    )


def _text_columns(rows: datasets.Dataset) -> tuple[str, ...]:
    """What a model sees of a row: a text, or the two sentences of a minimal pair."""
    return ("text",) if "text" in rows.column_names else PAIR


def _shares(values: Sequence[int], names: Sequence[str]) -> dict[str, float]:
    return {name: values.count(label) / len(values) for label, name in enumerate(names)}


def _sources(builder: GrammarBuilder) -> dict[str, list[str]]:
    files = builder.config.data_files or {}
    return {split: [os.path.basename(path) for path in files[split]] for split in files}


def _command(builder: GrammarBuilder, name: str, base: str, changed: Mapping[str, Any]) -> str:
    words = ["hf-grok", "data", name, "--config", base]
    for name, value in changed.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    for split, names in _sources(builder).items():
        words += ["--data-files", *(f"{split}={name}" for name in names)]
    return shlex.join([*words, "--out", "DIR"])

"""What every builder of this package shares: a cache keyed by content, splits, shards, errors.

`datasets` caches by builder name, config and version only, so changed code would be served old
data. Here the cache path carries a digest of this package's sources, of those of the package that
the builder is from, and of the files that were given: other content, other path.
"""

from __future__ import annotations

import dataclasses
import inspect
import os
import random
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import datasets
from datasets.data_files import DataFilesDict, DataFilesList
from datasets.exceptions import DatasetGenerationError

from hf_grok.datasets_scripts.builder.cache_key import digest, listed_files, source_digest
from hf_grok.datasets_scripts.builder.splits import (
    DRAWING_ORDER,
    SHARDS,
    SPLITS,
    SplitConfig,
    check_room,
    check_whole_number,
    distinct,
)
from hf_grok.errors import UserError, unknown_name

if TYPE_CHECKING:
    from hf_grok.datasets_scripts.export.push import Pushed

__all__ = [
    "DRAWING_ORDER",
    "SHARDS",
    "SPLITS",
    "GrammarBuilder",
    "PlainFeatures",
    "SplitConfig",
    "check_room",
    "check_whole_number",
    "distinct",
]


class PlainFeatures(datasets.Features):
    """Features of rows that hold what is stored already: numbers, strings and lists of them.

    The library walks every value of a row to encode it, which takes longer than to generate it.
    """

    def encode_example(self, example: dict[str, Any]) -> dict[str, Any]:
        """The row itself: a class label is given as its number."""
        return example


def _as_they_are(files: Mapping[str, list[str]]) -> DataFilesDict:
    # Given as patterns, a path with brackets or stars in it would be looked up as a pattern.
    return DataFilesDict({split: DataFilesList(paths, []) for split, paths in files.items()})


class GrammarBuilder(datasets.GeneratorBasedBuilder):
    """A builder whose rows come from a grammar, or from files read with that grammar.

    `Builder("default", train_size=1_000).download_and_prepare()`, then `.as_dataset("train")`.

    A subclass names its `BUILDER_CONFIG_CLASS` (a `SplitConfig`), its `BUILDER_CONFIGS` and its
    `VERSION`, and gives `_info`, `check_sizes`, `examples` and `row`; to read files, also
    `read_rows`.

    Args:
        config_name: one of the named configs; "default" when left out.
        cache_dir: where prepared data is kept; the library's own cache when left out.
        data_files: split -> file or files, instead of generated data.
        options: fields of the config to change, and what `datasets.DatasetBuilder` takes.

    Raises:
        UserError: an unknown config or field, a value out of range, a file that is not there, a
            size that the language cannot fill.
    """

    VERSION = datasets.Version("1.0.0")
    BUILDER_CONFIG_CLASS = SplitConfig
    DEFAULT_CONFIG_NAME = "default"
    GENERATION_FIELDS: ClassVar[tuple[str, ...]] = (*(f"{split}_size" for split in SPLITS), "seed")
    config: Any
    __signature__: ClassVar[inspect.Signature]

    def __init_subclass__(cls, **named: Any) -> None:
        """help() and completion show the options that the subclass's configuration has."""
        super().__init_subclass__(**named)
        cls.__signature__ = _signature(cls)

    def __init__(
        self,
        config_name: str | None = None,
        *,
        cache_dir: str | os.PathLike[str] | None = None,
        data_files: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        names = [config.name for config in self.BUILDER_CONFIGS]
        if config_name is not None and config_name not in names:
            raise unknown_name(f"config of {type(self).__name__}", str(config_name), names)
        self._check_options(options, generated=data_files is None)
        files = None if data_files is None else listed_files(data_files)
        options["hash"] = self._content_hash(files or {})
        super().__init__(
            cache_dir=None if cache_dir is None else os.fspath(cache_dir),
            config_name=config_name,
            data_files=None if files is None else _as_they_are(files),
            **options,
        )
        self.config.check()
        if files is None:
            self.check_sizes()

    def _check_options(self, options: Mapping[str, Any], generated: bool) -> None:
        fields = {field.name for field in dataclasses.fields(self.BUILDER_CONFIG_CLASS)}
        allowed = fields | set(inspect.signature(datasets.DatasetBuilder.__init__).parameters)
        for name, value in options.items():
            if name not in allowed:
                raise unknown_name(f"option of {type(self).__name__}", name, fields)
            # The library drops a None without a word and keeps the default.
            if name in fields and value is None:
                raise UserError(f"{name} must have a value: leave it out for the default")
            if name in self.GENERATION_FIELDS and not generated:
                raise UserError(
                    f"{name} says how data is generated, but data_files gives the data: "
                    "leave one of them out"
                )

    def _content_hash(self, files: Mapping[str, Sequence[str]]) -> str:
        own = source_digest(type(self), GrammarBuilder)
        paths = [Path(path) for split in sorted(files) for path in files[split]]
        return f"{own}-{digest(paths)}" if paths else own

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that this configuration has."""
        if self.config.data_files is not None:
            return tuple(split for split in SPLITS if split in self.config.data_files)
        return tuple(split for split in SPLITS if self.config.size(split))

    def download_and_prepare(self, *arguments: Any, **options: Any) -> None:
        """As in `datasets`; an error that is the user's to fix comes out as it is."""
        try:
            super().download_and_prepare(*arguments, **options)
        except DatasetGenerationError as error:
            if isinstance(error.__cause__, UserError):
                raise error.__cause__ from None
            raise

    def push_to_hub(
        self, repo_id: str, *, private: bool | None = None, num_proc: int | None = None
    ) -> Pushed:
        """Put the data on the Hub: Parquet, a card, and what makes the same bytes again.

        Args:
            repo_id: "name" or "user/name"; made if it is not there, private unless said otherwise.
            private: None: private where the repository is made, as it is where it is there.
            num_proc: processes that generate; they do not change the data.

        Raises:
            UserError: see `hf_grok.datasets_scripts.export.push.push`.
        """
        from hf_grok.datasets_scripts.export.push import push_builder

        return push_builder(self, repo_id, private=private, num_proc=num_proc)

    def _split_generators(self, dl_manager: Any) -> list[Any]:
        return [
            datasets.SplitGenerator(name=split, gen_kwargs=self._shards(split))
            for split in self.splits
        ]

    def _shards(self, split: str) -> dict[str, Any]:
        # A tuple is not sharded: files are read in the main process, where errors keep their type.
        if self.config.data_files is not None:
            return {"split": split, "files": tuple(self.config.data_files[split])}
        return {"split": split, "shards": list(range(min(SHARDS, self.config.size(split))))}

    def _generate_examples(
        self, split: str, shards: Sequence[int] = (), files: Sequence[str] = ()
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        if files:
            yield from enumerate(row for file in files for row in self.read_rows(split, file))
            return
        # Every process makes the same draws and annotates its own shards only.
        size, wanted = self.config.size(split), set(shards)
        number = min(SHARDS, size)
        for index, example in enumerate(self.examples(split)):
            if index * number // size in wanted:
                yield index, self.row(example)

    def stream(self, split: str) -> random.Random:
        """The random stream of one split: a function of the builder, the seed and the split."""
        return random.Random(f"{self.name}/{self.config.seed}/{split}")

    @abstractmethod
    def check_sizes(self) -> None:
        """Refuse sizes that the language cannot fill, saying how many examples there are."""

    @abstractmethod
    def examples(self, split: str) -> Iterator[Any]:
        """All examples of a split, in order; the same in every process."""

    @abstractmethod
    def row(self, example: Any) -> dict[str, Any]:
        """The columns of one example."""

    def read_rows(self, split: str, file: str) -> Iterator[dict[str, Any]]:
        """The rows of one file of real data."""
        raise UserError(f"{type(self).__name__} reads no files: leave data_files out")


def _signature(builder: type[GrammarBuilder]) -> inspect.Signature:
    """The builder's own arguments, then the fields of its configuration with their defaults."""
    own = list(inspect.signature(builder.__init__).parameters.values())[1:]
    kept = [one for one in own if one.kind is not inspect.Parameter.VAR_KEYWORD]
    library = {field.name for field in dataclasses.fields(datasets.BuilderConfig)}
    configs = {config.name: config for config in builder.BUILDER_CONFIGS}
    default = configs.get(builder.DEFAULT_CONFIG_NAME) or builder.BUILDER_CONFIG_CLASS()
    options = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=getattr(default, field.name),
            annotation=field.type,
        )
        for field in dataclasses.fields(builder.BUILDER_CONFIG_CLASS)
        if field.name not in library
    ]
    return inspect.Signature([*kept, *options])

"""What every builder of this package shares: a cache keyed by content, splits, shards, errors.

`datasets` caches by builder name, config and version only, so changed code would be served old
data. Here the cache path carries a digest of this package's sources, of the builder's own module
and of the files that were given: other content, other path.
"""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import os
import random
from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import datasets
from datasets.exceptions import DatasetGenerationError

from hf_grok.errors import UserError, unknown_name

SPLITS = ("train", "validation", "test", "generalization")
# Small splits first: the commonest sentences are few, and 100,000 distinct training lines would
# use them up before the evaluation splits had their share.
DRAWING_ORDER = ("generalization", "test", "validation", "train")
# The unit of `num_proc`: a constant, so that the rows never depend on the number of processes.
SHARDS = 16
# Draws in a row that bring nothing new, after which a split counts as out of reach.
PATIENCE = 200_000

Item = TypeVar("Item", bound=Hashable)


@dataclasses.dataclass
class SplitConfig(datasets.BuilderConfig):
    """Sizes of the four splits (0 leaves a split out) and the seed of the draws."""

    version: datasets.Version | str | None = dataclasses.field(
        default_factory=lambda: datasets.Version("1.0.0")
    )
    train_size: int = 100_000
    validation_size: int = 1_000
    test_size: int = 10_000
    generalization_size: int = 10_000
    seed: int = 0

    def size(self, split: str) -> int:
        """Number of rows of a split."""
        return int(getattr(self, f"{split}_size"))

    def check(self) -> None:
        """Refuse sizes and seeds that are no whole numbers of the right sign.

        Raises:
            UserError: names the field and what it was given.
        """
        for name in (*(f"{split}_size" for split in SPLITS), "seed"):
            check_whole_number(name, getattr(self, name))
        if self.data_files is None and not any(self.size(split) for split in SPLITS):
            raise UserError("every split has size 0: give at least one of them rows")


def check_whole_number(name: str, value: object) -> None:
    """Refuse anything but an int >= 0 (bool is no number here).

    Raises:
        UserError: names the field and what it was given.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise UserError(f"{name} must be a whole number, 0 or more; got {value!r}")


def check_room(what: str, asked: int, available: int) -> None:
    """Refuse more distinct examples than the language has.

    Raises:
        UserError: says how many were asked for and how many there are.
    """
    if asked > available:
        raise UserError(
            f"{what}: asked for {asked:,} distinct examples, but the language has {available:,}: "
            "ask for fewer"
        )


@cache
def source_digest(*modules: str) -> str:
    """Digest of every source file of this package and of the named files: the code's version."""
    package = sorted(Path(__file__).parent.glob("*.py"))
    return _digest([*package, *(Path(name) for name in modules)])


def _digest(files: Sequence[Path]) -> str:
    total = hashlib.sha256()
    for file in files:
        total.update(f"{file.name}\0".encode())
        total.update(hashlib.sha256(file.read_bytes()).digest())
    return total.hexdigest()[:16]


def listed_files(data_files: object) -> dict[str, list[str]]:
    """Split -> absolute paths of its files, from a mapping of splits to one path or several.

    Raises:
        UserError: no mapping, an unknown split, or a file that is not there.
    """
    if not isinstance(data_files, Mapping) or not data_files:
        raise UserError(
            f'data_files must map splits to files, as in {{"train": "train.tsv"}}; got {data_files!r}'
        )
    return {split: _paths(split, data_files[split]) for split in data_files}


def _paths(split: str, given: str | os.PathLike[str] | Sequence[str]) -> list[str]:
    if split not in SPLITS:
        raise unknown_name("split in data_files", str(split), SPLITS)
    paths = [given] if isinstance(given, (str, os.PathLike)) else list(given)
    for path in paths:
        if not Path(path).is_file():
            raise UserError(f"data_files[{split!r}]: there is no file {os.fspath(path)!r}")
    return [os.path.abspath(path) for path in paths]


def distinct(
    draw: Callable[[int], Item | None],
    size: int,
    taken: set[Any],
    key: Callable[[Item], Hashable],
    what: str,
) -> Iterator[Item]:
    """Draw until `size` items are found whose keys are new; the keys join `taken`.

    Args:
        draw: given the number of items found so far, an item, or None for a rejected draw.
        size: how many items.
        taken: keys that must not come again.
        key: what makes two items the same.
        what: what is drawn, for the error message.

    Raises:
        UserError: `PATIENCE` draws in a row brought nothing new.
    """
    found = misses = 0
    while found < size:
        item = draw(found)
        identity = None if item is None else key(item)
        if item is None or identity in taken:
            misses += 1
            if misses > PATIENCE:
                raise UserError(
                    f"{what}: asked for {size:,} distinct examples, but after {found:,} the next "
                    f"{PATIENCE:,} draws brought nothing new: ask for fewer"
                )
            continue
        taken.add(identity)
        found, misses = found + 1, 0
        yield item


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
    config: Any

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
        self._check_options(options)
        files = None if data_files is None else listed_files(data_files)
        options["hash"] = self._content_hash(files or {})
        super().__init__(
            cache_dir=None if cache_dir is None else os.fspath(cache_dir),
            config_name=config_name,
            data_files=files,
            **options,
        )
        self.config.check()
        if files is None:
            self.check_sizes()

    def _check_options(self, options: Mapping[str, Any]) -> None:
        fields = {field.name for field in dataclasses.fields(self.BUILDER_CONFIG_CLASS)}
        allowed = fields | set(inspect.signature(datasets.DatasetBuilder.__init__).parameters)
        for name, value in options.items():
            if name not in allowed:
                raise unknown_name(f"option of {type(self).__name__}", name, fields)
            # The library drops a None without a word and keeps the default.
            if name in fields and value is None:
                raise UserError(f"{name} must have a value: leave it out for the default")

    def _content_hash(self, files: Mapping[str, Sequence[str]]) -> str:
        own = source_digest(inspect.getfile(type(self)))
        paths = [Path(path) for split in sorted(files) for path in files[split]]
        return f"{own}-{_digest(paths)}" if paths else own

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits that this configuration has."""
        if self.config.data_files is not None:
            return tuple(split for split in SPLITS if split in self.config.data_files)
        return tuple(split for split in SPLITS if self.config.size(split))

    def download_and_prepare(self, *arguments: Any, **options: Any) -> None:
        """As in `datasets`; an error that is the user's to mend comes out as it is."""
        try:
            super().download_and_prepare(*arguments, **options)
        except DatasetGenerationError as error:
            if isinstance(error.__cause__, UserError):
                raise error.__cause__ from None
            raise

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

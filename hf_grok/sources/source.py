"""What a name in --data turns out to be: files, a folder of them, or a data set of the Hub."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hf_grok.annotation.hub_treebank import with_words_of_tokens
from hf_grok.annotation.scheme import one_scheme, read_scheme
from hf_grok.errors import UserError
from hf_grok.sources.files import SUFFIXES, inside, is_unfinished, of_split

_HUB = re.compile(r"[\w.-]+(/[\w.-]+)?")
_SEVERAL = (
    ". Several names are several words: --data a b; in a recipe or a sweep a list, data: [a, b]; "
    "with --override 'data=[a, b]'"
)
_WILD = re.compile(r"[*?[]")


@dataclass(frozen=True)
class Source:
    """One word of `--data`: NAME[,config=..][,split=..][,revision=..][,scheme=..] and more.

    Attributes:
        name: a Parquet, JSON lines or CoNLL-U file, a folder or a pattern of them, or a data set's
            id on the Hub.
        config: of a data set that has several; of a folder, the folder in it.
        split: which one is read, of a data set or a folder that has several; None: "train".
        revision: of a data set on the Hub.
        weight: how often its rows are read in an epoch; 1.5 reads half of them twice.
        scheme: annotation scheme of its heads, where annotation.json does not say.
        first_head: of input_ids, heads and relns: the position, 0 or 1, of the token that
            heads[0] belongs to; None tells it by each row.
        relations: "ud" where relations are to have UD's names (`hf_grok.annotation.relations`).
    """

    name: str
    config: str | None = None
    split: str | None = None
    revision: str | None = None
    weight: float = 1.0
    scheme: str | None = None
    first_head: int | None = None
    relations: str | None = None

    @property
    def path(self) -> Path:
        """Where it would be on the disk."""
        return Path(self.name) / (self.config or "")

    @property
    def is_pattern(self) -> bool:
        """Whether the name is a pattern of files rather than one."""
        return bool(_WILD.search(self.name)) and not Path(self.name).exists()

    @cached_property
    def files(self) -> list[Path]:
        """The files to read, by name; empty for a data set of the Hub, or whose README is asked.

        Raises:
            UserError: there are none; a parse into the folder has not ended; options that files do
                not have.
        """
        path = self.path
        self.require_whole()
        if path.is_dir():
            self.refuse_options("a folder", "revision")
            return of_split(path, self.split or "train")
        if path.is_file() and path.suffix in SUFFIXES:
            self.refuse_options("a file", "config", "split", "revision")
            return [path]
        if path.is_file():
            raise _not_read(path)
        if found := self.matching():
            wrong = [one for one in found if one.suffix not in SUFFIXES]
            if wrong:
                raise _not_read(wrong[0])
            self.refuse_options("a pattern", "config", "split", "revision")
            return found
        if Path(self.name).is_dir():
            return []  # its README names the configuration
        if not _HUB.fullmatch(self.name) or path.suffix in SUFFIXES:
            raise UserError(
                f"there is no file or folder {self.name!r}, it fits none as a pattern, and it is "
                "no data set's id on the Hub (USER/NAME)" + (_SEVERAL if " " in self.name else "")
            )
        return []

    def matching(self) -> list[Path]:
        """The files that its name fits as a pattern, by name; empty if it is none."""
        if not self.is_pattern:
            return []
        return [Path(one) for one in sorted(glob.glob(self.name, recursive=True))]

    def require_whole(self) -> None:
        """A folder that hf-grok data parse writes is read when the parse has ended.

        Raises:
            UserError: it has not.
        """
        if is_unfinished(self.path):
            raise UserError(
                f"{self.path} is the beginning of a parse: finish it with the command of hf-grok "
                "data parse that began it"
            )

    def refuse_options(self, what: str, *keys: str) -> None:
        """Options that say nothing about what the name turned out to be are a mistake.

        Raises:
            UserError: one of `keys` was given.
        """
        given = [key for key in keys if getattr(self, key) is not None]
        if given:
            raise UserError(f"data {self.name!r} is {what}, which has no {given[0]}: leave it out")

    def annotation_scheme(self) -> str | None:
        """As it was said, or as annotation.json beside the data says; None where nothing does.

        A file's own annotation.json goes before that of its folder.

        Raises:
            UserError: two files of it say two, or one another than what was said.
        """
        homes = self._local() or [self.path]
        known = {home: _scheme_beside(home) or read_scheme(Path(self.name)) for home in homes}
        others = {home: own for home, own in known.items() if own not in (None, self.scheme)}
        if self.scheme is not None and others:
            home, own = next(iter(others.items()))
            raise UserError(
                f"data {self.name!r}: scheme={self.scheme} was said, and the annotation.json of "
                f"{home} says {own}: leave scheme= out, or mend the file if it is wrong"
            )
        return one_scheme({str(home): own or self.scheme for home, own in known.items()})

    def _local(self) -> list[Path]:
        """Its files as far as they are known without asking for a split."""
        if self.path.is_file():
            return [self.path]
        folder = self.path if self.path.is_dir() else Path(self.name)
        if folder.is_dir():
            return inside(folder)
        return self.matching()

    @cached_property
    def dataset(self) -> Any:
        """The data set, memory-mapped.

        Raises:
            UserError: it cannot be loaded.
        """
        isnt = "" if Path(self.name).is_dir() else "is no file or folder here, and "
        return load_split(self, self.split or "train", isnt)

    def told(self, split: str) -> str:
        """The name, and what was chosen of it: "user/name@abc (en, dev)"."""
        revision = f"@{self.revision}" if self.revision else ""
        return f"{self.name}{revision} ({', '.join(filter(None, [self.config, split]))})"


def load_split(source: Source, split: str, isnt: str = "") -> Any:
    """A split of a data set that `datasets.load_dataset` knows; a treebank's tokens as its words.

    Args:
        source: its name, config and revision.
        split: which one.
        isnt: "is no ..., and ": what else the name could have been.

    Raises:
        UserError: it cannot be loaded; where it has several configurations or other splits, the
            message has their names; what `treebank_rows` refuses.
    """
    import datasets

    try:
        loaded = datasets.load_dataset(
            source.name, source.config, split=split, revision=source.revision
        )
    except (OSError, ValueError, ConnectionError) as error:
        said = " ".join(str(error).split()).rstrip(".")
        raise UserError(
            f"{source.name!r} {isnt}datasets.load_dataset could not load its split {split!r}: "
            f"{said}. Of several, one is named as {source.name},config=NAME,split=NAME"
        ) from error
    try:
        return with_words_of_tokens(loaded)
    except UserError as error:
        raise UserError(f"{source.name}, {error}") from error


def _not_read(file: Path) -> UserError:
    return UserError(
        f"{file}: rows are read from {', '.join(SUFFIXES)} files; plain text is made into them by "
        f"hf-grok data parse --text {file} --parser spacy:en_core_web_sm --out FOLDER"
    )


def _scheme_beside(file: Path) -> str | None:
    """As beside the file, else as of its folder."""
    return read_scheme(file) or read_scheme(file.parent)

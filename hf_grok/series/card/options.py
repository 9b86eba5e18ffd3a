"""What the owner of a series says of it for its cards: RUN/series/card.json and its pictures.

Kept beside the journal, so that every later push says the same.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from hf_grok.errors import UserError
from hf_grok.model_cards import Figure
from hf_grok.model_cards.hub_names import LICENSES
from hf_grok.model_cards.validation import check_repository
from hf_grok.series.errors import SeriesError
from hf_grok.series.local.safety import safe_path
from hf_grok.text.json_reading import read_object
from hf_grok.text.printable import quoted

OPTIONS_FILE = "series/card.json"
PICTURES = "figures"
"""Their folder below RUN/series, and in the repository."""
KINDS = (".png", ".svg", ".jpg", ".jpeg", ".webp", ".gif")


@dataclass(frozen=True)
class CardOptions:
    """What a run does not know of itself.

    Attributes:
        licence: as the Hub names it; None: none was given.
        dataset: repository of the data on the Hub.
        base_model: repository of the weights that training began with.
        eval_results: `main` also gets the results as an `.eval_results` file.
        figures: names of pictures below RUN/series/figures, in the order of the card.

    Raises:
        UserError: a licence that the Hub does not know; a name that is no repository's;
            eval_results without the data set that they are of.
    """

    licence: str | None = None
    dataset: str | None = None
    base_model: str | None = None
    eval_results: bool = False
    figures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.licence is not None and self.licence not in LICENSES:
            raise SeriesError(
                f"licence {self.licence!r}: expected one that the Hub knows by that name, such as "
                "mit, apache-2.0, cc-by-4.0 or other"
            )
        for name in (self.dataset, self.base_model):
            if name is not None:
                check_repository(name)
        if self.eval_results and self.dataset is None:
            raise SeriesError(
                "results as .eval_results name the data set on the Hub that they were measured on: "
                "give its repository too (--dataset USER/NAME)"
            )

    def pictures(self) -> list[Figure]:
        """The figures as the card shows them; a file's name is its caption."""
        return [Figure(f"{PICTURES}/{name}", _caption(name)) for name in self.figures]


def read_options(run: Path | None) -> CardOptions:
    """What was said of a run's series so far.

    Raises:
        SeriesError: card.json is not what this module writes.
    """
    path = None if run is None else run / OPTIONS_FILE
    if path is None or not path.is_file():
        return CardOptions()
    try:
        found = read_object(path)
        return CardOptions(**{**found, "figures": _figures(found)})
    except (TypeError, UserError) as error:
        raise SeriesError(f"{path} cannot be read ({error}): fix it, or remove it") from None


def keep_options(run: Path, pictures: Iterable[Path] = (), **said: Any) -> CardOptions:
    """Add to what was said; None and False leave it as it was.

    Args:
        run: the run's folder.
        pictures: files to copy beside the journal; one of the same name takes the old one's place.
        **said: attributes of `CardOptions` but `figures`.

    Raises:
        UserError: as `CardOptions`; a picture that is not there, or is no picture.
    """
    new, earlier = [_checked(path) for path in pictures], read_options(run)
    names = dict.fromkeys([*earlier.figures, *(path.name for path in new)])
    changes = {name: value for name, value in said.items() if value not in (None, False)}
    options = replace(earlier, figures=tuple(names), **changes)
    if options != earlier or new:
        _write(run, options, new)
    return options


def picture_files(run: Path) -> dict[str, bytes]:
    """Path in the repository -> content of every picture.

    Raises:
        SeriesError: one is gone, or its name leads elsewhere.
    """
    found = {}
    for name in read_options(run).figures:
        path = safe_path(run / "series" / PICTURES, name)
        if not path.is_file():
            raise SeriesError(
                f"{path} is gone: put it back, or take it out of {run / OPTIONS_FILE}"
            )
        found[f"{PICTURES}/{name}"] = path.read_bytes()
    return found


def _write(run: Path, options: CardOptions, pictures: Iterable[Path]) -> None:
    folder = run / "series" / PICTURES
    for path in pictures:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, folder / path.name)
    said = {k: v for k, v in asdict(options).items() if v not in (None, False, ())}
    target = run / OPTIONS_FILE
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    temporary.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
    temporary.replace(target)


def _checked(path: Path) -> Path:
    if path.suffix.lower() not in KINDS:
        raise SeriesError(f"figure {path}: expected a picture ({', '.join(KINDS)})")
    if not path.is_file():
        raise SeriesError(f"figure {path} is not there")
    return path


def _figures(found: Mapping[str, Any]) -> tuple[str, ...]:
    names = found.get("figures", [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"figures: expected names, got {quoted(names)}")
    return tuple(names)


def _caption(name: str) -> str:
    words = Path(name).stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]

"""Every language once: what makes it, what is asked of its learners, what its card says.

Ours are listed here; another package's are entry points of the group `hf_grok.languages`
(`docs/your_language.md`). Classes are named, as "module:Class", and loaded where they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from hf_grok._isolated import Isolated
from hf_grok.annotation.scheme import UD
from hf_grok.errors import UserError
from hf_grok.model_cards import languages as cards
from hf_grok.model_cards.languages import LanguageFacts
from hf_grok.packages import LANGUAGES, Brought, brought_points, our, the_one

if TYPE_CHECKING:
    from hf_grok.datasets_scripts.builder.base import GrammarBuilder

# Without a gold structure there are no heads to find and no tree to score.
WITHOUT_STRUCTURE = ("sparsity", "norm", "intrinsic_dimension")
WITH_STRUCTURE = ("uas", "tree", *WITHOUT_STRUCTURE)
# No tree: a model that sees both sides reads a sentence once for each of its spans, in seconds.
WITH_PAIRS = ("uas", "pairs", "sparsity", "norm")


@dataclass(frozen=True)
class Language:
    """One language.

    Attributes:
        builder: "module:Class" of the `GrammarBuilder` that makes its data.
        card: what the card of its data says.
        behaviour: "module:Class" of the `hf_grok.probes.tasks.Behaviour` that is measured on the
            splits test and generalization; "": the language asks for nothing but the next word or
            the masked one, so that masked language models learn it too.
        task: the label of the column `task` whose rows ask for something; "": all rows do.
        ends: whether a text ends in a token of its own.
        scheme: annotation scheme of the column `heads`, "ud" for that of Universal Dependencies;
            "": the sentences have no heads.
        probes: what a run looks at if it is not told otherwise.
        pairs: name of the language that holds its minimal pairs; "": it has none.
        is_pairs: whether its rows are minimal pairs, on which nothing is trained. Its builder
            takes the options pairs_per_paradigm and seed, and has the split test alone.
    """

    builder: str
    card: LanguageFacts
    behaviour: str = ""
    task: str = ""
    ends: bool = False
    scheme: str = ""
    probes: tuple[str, ...] = WITHOUT_STRUCTURE
    pairs: str = ""
    is_pairs: bool = False

    def builder_class(self) -> type[GrammarBuilder]:
        """The class that makes its data.

        Raises:
            UserError: it cannot be loaded.
        """
        found: type[GrammarBuilder] = load(self.builder)
        return found


_BUILDERS, _BEHAVIOURS = "hf_grok.datasets_scripts", "hf_grok.probes.tasks"

OURS: Mapping[str, Language] = {
    "question-formation": Language(
        builder=f"{_BUILDERS}.question_formation:QuestionFormation",
        card=cards.QUESTION_FORMATION,
        behaviour=f"{_BEHAVIOURS}.question_formation:QuestionBehaviour",
        task="quest",
        scheme=UD,
        probes=WITH_STRUCTURE,
    ),
    "tense-inflection": Language(
        builder=f"{_BUILDERS}.tense_inflection:TenseInflection",
        card=cards.TENSE_INFLECTION,
        behaviour=f"{_BEHAVIOURS}.tense_inflection:TenseBehaviour",
        task="PRESENT",
        scheme=UD,
        probes=WITH_STRUCTURE,
    ),
    "dyck": Language(
        builder=f"{_BUILDERS}.dyck:Dyck",
        card=cards.DYCK,
        behaviour=f"{_BEHAVIOURS}.dyck:DyckBehaviour",
        ends=True,
    ),
    "agreement": Language(
        builder=f"{_BUILDERS}.agreement:Agreement",
        card=cards.AGREEMENT,
        ends=True,
        scheme=UD,
        probes=WITH_PAIRS,
        pairs="minimal-pairs",
    ),
    "minimal-pairs": Language(
        builder=f"{_BUILDERS}.minimal_pairs:MinimalPairs", card=cards.MINIMAL_PAIRS, is_pairs=True
    ),
}


def known_languages() -> dict[str, list[Brought[Language | EntryPoint]]]:
    """Name -> what goes by it, ours first; what other packages name is not loaded."""
    known: dict[str, list[Brought[Language | EntryPoint]]] = {
        name: [our(one)] for name, one in OURS.items()
    }
    for brought in brought_points(LANGUAGES):
        known.setdefault(brought.thing.name, []).append(brought.holding(brought.thing))
    return known


def language(name: str) -> Language:
    """The language of a name.

    Raises:
        UserError: no language or two packages' have that name, or another package's cannot be
            loaded.
    """
    return brought_language(name).thing


def brought_language(name: str) -> Brought[Language]:
    """The language of a name, with the package that brings it; errors as `language`'s."""
    found = the_one("language", name, known_languages())
    if isinstance(found.thing, Language):
        return our(found.thing)
    return found.holding(_loaded(found.thing, str(found)))


def _loaded(point: EntryPoint, package: str) -> Language:
    what = f"language {point.name!r} of {package} (entry point {point.value} of group {LANGUAGES})"
    with Isolated() as loading:
        found = point.load()
    if loading.failure:
        raise UserError(f"{what} cannot be loaded: {loading.failure}. Fix or uninstall {package}")
    if not isinstance(found, Language):
        raise UserError(f"{what} is {found!r}: expected a hf_grok.languages.Language")
    return found


def trained_language(name: str) -> Language:
    """The language of a name, if a model can be trained on it.

    Raises:
        UserError: as `language`, or its rows are minimal pairs.
    """
    found = language(name)
    if found.is_pairs:
        raise UserError(
            f"{name} holds pairs of a good and a bad sentence, on which nothing is trained: name "
            "another --language, and score its pairs with hf-grok probe"
        )
    return found


def prepared(
    name: str,
    config: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    quiet: bool = False,
) -> GrammarBuilder:
    """The builder of a language to train on, its splits generated (or found again).

    Args:
        name: of the language.
        config: of its builder; None for the default one.
        options: of its builder's configuration.
        quiet: no progress bars.

    Raises:
        UserError: as `trained_language`; an unknown configuration or option.
    """
    import datasets

    builder = trained_language(name).builder_class()(config_name=config, **(options or {}))
    if quiet:
        datasets.disable_progress_bars()
    builder.download_and_prepare()
    return builder


def card_of(name: str) -> LanguageFacts | None:
    """What a card says of a language; None of data that are no language known here.

    Raises:
        UserError: as `language`, but for an unknown name.
    """
    return language(name).card if name in known_languages() else None


def name_of(builder: type) -> str:
    """The name of the language that a builder makes.

    Raises:
        UserError: of none that can be loaded.
    """
    known = known_languages()
    for name in known:
        with Isolated():
            if language(name).builder_class() is builder:
                return name
    raise UserError(
        f"{builder.__module__}.{builder.__qualname__} is the builder of no language, so nothing is "
        f"known that a card could say: name it in a Language (docs/your_language.md); there are "
        f"{', '.join(known)}"
    )


def load(home: str) -> Any:
    """What "module:name" names.

    Raises:
        UserError: nothing is there.
    """
    module, _, name = home.partition(":")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{home!r}, expected as module:Class, cannot be loaded: {error}") from error

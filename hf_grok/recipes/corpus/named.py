"""The sources that a run's --data names, together: their scheme, and whether they have heads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hf_grok.annotation.scheme import one_scheme
from hf_grok.errors import UserError
from hf_grok.recipes.corpus.sentences import has_heads
from hf_grok.sources.source import Source
from hf_grok.sources.words import TRAINING_KEYS, read_source


def sources_of(words: Sequence[str]) -> tuple[Source, ...]:
    """The sources that `--data` names.

    Raises:
        UserError: as `read_source`; one twice.
    """
    if len(set(words)) < len(words):
        raise UserError(f"data names a source twice ({' '.join(words)}): give it a weight instead")
    return tuple(read_source(word, TRAINING_KEYS) for word in words)


def scheme_of(sources: Iterable[Source]) -> str | None:
    """The annotation scheme of all the sources; None where nothing says.

    Raises:
        UserError: they follow several.
    """
    return one_scheme({source.name: source.annotation_scheme() for source in sources})


def require_heads(sources: Iterable[Source]) -> None:
    """A regulariser needs heads in every source.

    Raises:
        UserError: one has none.
    """
    for source in sources:
        if not has_heads(source):
            raise UserError(
                f"{source.name} has no columns heads and deprels, on which sas_schedule acts: "
                "parse it (hf-grok data parse), leave it out, or train without sas_schedule"
            )

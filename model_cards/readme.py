"""From the facts of a series to the text of a README, a person's own words kept."""

from __future__ import annotations

import dataclasses

from hf_grok.errors import UserError
from hf_grok.model_cards.preserved import merge, split_readme
from hf_grok.model_cards.series_card import SeriesCard
from hf_grok.model_cards.step_card import StepCard
from hf_grok.model_cards.validation import validate


def series_readme(card: SeriesCard, old: str | None = None) -> str:
    """The README of `main`: the card, what a person wrote into the old README, checked.

    Args:
        card: what is known of the series.
        old: the README that stands there now, whoever wrote it; None where there is none.

    Raises:
        UserError: the old README's markers or metadata are broken; its licence is not the one
            that the card was given; the Hub would refuse the result.
    """
    return validate(merge(_licensed(card, old).render(), old))


def step_readme(card: SeriesCard, step: int, old: str | None = None) -> str:
    """The README of one step's revision; as `series_readme`.

    Raises:
        UserError: as there; the series has no such step.
    """
    return validate(merge(StepCard(_licensed(card, old), step).render(), old))


def _licensed(card: SeriesCard, old: str | None) -> SeriesCard:
    """The card under the licence that a person put into the old README, if the card has none."""
    theirs = split_readme(old)[0].get("license") if old else None
    if theirs is None or theirs == card.licence:
        return card
    if card.licence is not None:
        raise UserError(
            f"the licence is {card.licence!r} here and {theirs!r} in the repository's README: "
            "change one of them, or leave it out here to keep what the README says"
        )
    return dataclasses.replace(card, licence=str(theirs))

"""English number, told from the words of a vocabulary: newt/newts, walrus/walruses, swim/swims."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class NumberPair:
    """A word and its form in the other number.

    Attributes:
        other: the same word in the other number.
        has_suffix: the word itself bears the -s: a plural noun, or a singular verb.
    """

    other: str
    has_suffix: bool


def number_pair(word: str, vocabulary: Container[str]) -> NumberPair | None:
    """The pair (bare form, bare form with -s, -es or -ies) of which the word is one.

    Only words of the vocabulary make a pair: "walrus" is no plural unless "walru" is a word.

    Returns:
        None where the vocabulary does not hold the other form, so that the number cannot be told.
    """
    for bare in _without_suffix(word):
        if bare in vocabulary:
            return NumberPair(bare, has_suffix=True)
    for suffixed in _with_suffix(word):
        if suffixed in vocabulary:
            return NumberPair(suffixed, has_suffix=False)
    return None


def recent_noun_differs(
    words: Sequence[str],
    upos: Sequence[str],
    verb_position: int,
    verb: str,
    vocabulary: Container[str],
) -> bool | None:
    """Is the noun nearest to the verb's left of another number than the verb?

    Returns:
        None where either number cannot be told from the vocabulary, or no noun precedes.
    """
    nouns = [w for w, tag in zip(words[:verb_position], upos, strict=False) if tag == "NOUN"]
    noun_pair = number_pair(nouns[-1], vocabulary) if nouns else None
    verb_pair = number_pair(verb, vocabulary)
    if noun_pair is None or verb_pair is None:
        return None
    # A noun's -s makes a plural, a verb's a singular: the same number is one -s between the two.
    return noun_pair.has_suffix == verb_pair.has_suffix


def _without_suffix(word: str) -> Iterator[str]:
    for suffix, ending in (("s", ""), ("es", ""), ("ies", "y")):
        if word.endswith(suffix):
            yield word.removesuffix(suffix) + ending


def _with_suffix(word: str) -> Iterator[str]:
    yield word + "s"
    yield word + "es"
    if word.endswith("y"):
        yield word.removesuffix("y") + "ies"

"""What a card says about each synthetic language.

Texts are Markdown of ours; `hf_grok.languages` has the languages that they belong to. Columns and
splits that a data set has and its facts do not name are an error when the card is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hf_grok.model_cards.papers import CHEN_2024, MCCOY_2020, MURTY_2023, WARSTADT_2020, Paper


@dataclass(frozen=True)
class LanguageFacts:
    """One language, in words.

    Attributes:
        title: its name, as a heading.
        summary: what the language is and what question it settles.
        splits: split -> what it holds.
        columns: column -> what it means.
        limitations: what a user must not conclude from it.
        papers: to cite.
        language: ISO 639 code of its words, "" for none.
        tags: for the Hub, beside those that every card has.
        model_tags: for the Hub, of models that were trained on it, before `tags`.
        repetition: what is never repeated, as a clause without its full stop.
        tasks: the Hub's task categories.
        licence: of generated data, as the Hub names it.
    """

    title: str
    summary: str
    splits: Mapping[str, str]
    columns: Mapping[str, str]
    limitations: tuple[str, ...]
    papers: tuple[Paper, ...]
    language: str
    tags: tuple[str, ...]
    model_tags: tuple[str, ...] = ()
    repetition: str = "No text stands in two splits or twice in one"
    tasks: tuple[str, ...] = ("text-generation",)
    licence: str = "apache-2.0"


SENTENCE_COLUMNS = {
    "text": "what a language model sees: source, a space, target",
    "source": "the sentence with its final period, then the task word",
    "target": "what the task asks for",
    "task": "the task word",
    "words": "the source sentence with its final period, without the task word",
    "upos": "Universal Dependencies part of speech of each word",
    "deprels": "Universal Dependencies relation of each word to its head",
    "heads": "1-based head of each word, 0 for the root, as in CoNLL-U",
    "spans": "gold binary tree over words without the final period: half-open [start, end) of "
    "every constituent of two words or more",
    "tree": "the same tree, bracketed, for people",
    "main_index": "0-based position in words of the main {main}",
    "subject_modifier": "what modifies the subject: nothing, a prepositional phrase, or which kind "
    "of relative clause",
}


def _sentence_columns(main: str) -> dict[str, str]:
    return {name: text.replace("{main}", main) for name, text in SENTENCE_COLUMNS.items()}


_SENTENCE_LIMITS = (
    "Trees, heads and relations are the grammar's own: they are exact for this language and no "
    "evidence about English.",
    "The vocabulary is tiny and words are drawn uniformly: meaning plays no part, and many "
    "sentences are absurd.",
)

_DISTRIBUTIONS = (
    "Lines follow the distribution of the files that the published models were trained on, which "
    "is not that of their grammar file; the configuration `grammar` (or the option "
    "`distribution=grammar`) has the latter."
)

QUESTION_FORMATION = LanguageFacts(
    title="Question formation",
    summary="English declarative sentences from a small grammar, copied (`decl`) or turned into "
    "yes-no questions (`quest`). In the ambiguous configurations the training data fit two rules: "
    "front the *main* auxiliary (hierarchical) or the *first* one (linear). The generalization "
    "split tells them apart. " + _DISTRIBUTIONS,
    splits={
        "train": "both tasks; unless the configuration says otherwise, no question whose subject "
        "has a relative clause",
        "validation": "as train",
        "test": "as train",
        "generalization": "questions whose subject has a relative clause, its auxiliary and the "
        "main one of the same number and different; each kind of relative clause with probability "
        "1/3; in the released distribution, no relative clause in an object",
    },
    columns=_sentence_columns("auxiliary"),
    limitations=(
        *_SENTENCE_LIMITS,
        "Report generalization by `subject_modifier`: a rule about adjacency alone gets every "
        "subject relative right and every object relative wrong, and the mean hides it.",
    ),
    papers=(MCCOY_2020, MURTY_2023),
    language="en",
    tags=("question-formation",),
    model_tags=("grokking",),
)

TENSE_INFLECTION = LanguageFacts(
    title="Tense inflection",
    summary="English past-tense sentences from a small grammar, copied (`PAST`) or put into the "
    "present (`PRESENT`). In the ambiguous configurations the training data fit two rules: agree "
    "with the *subject* (hierarchical) or with the *most recent noun* (linear). The generalization "
    "split tells them apart. " + _DISTRIBUTIONS,
    splits={
        "train": "both tasks; unless the configuration says otherwise, PRESENT only where the "
        "noun nearest to the left of the main verb has the subject's number",
        "validation": "as train",
        "test": "as train",
        "generalization": "PRESENT, the noun nearest to the left of the main verb having the other "
        "number",
    },
    columns=_sentence_columns("verb"),
    limitations=_SENTENCE_LIMITS,
    papers=(MCCOY_2020, MURTY_2023),
    language="en",
    tags=("tense-inflection", "subject-verb-agreement"),
    model_tags=("grokking",),
)

DYCK = LanguageFacts(
    title="Dyck language",
    summary="Well nested strings of k types of brackets, at most m of them open at once, from a "
    "probabilistic automaton: with nothing open it opens a bracket or ends, with equal weight, and "
    "does not end below four words; with something open it opens another (uniform over the types) "
    "or closes the last, with equal weight; with m open it closes. The *structure* of a string is "
    "the sequence of its top-level blocks with the types removed: `(3 (1 )1 )3 (2 )2` has the "
    "blocks `(())` and `()`.",
    splits={
        "train": "distinct draws from the automaton",
        "validation": "every block's structure occurs in train, the string does not",
        "test": "as validation, and not in it",
        "generalization": "the structure of at least one block does not occur in train",
    },
    columns={
        "text": "the string, its words separated by spaces",
        "depth": "the most brackets open at once",
        "distances": "for each closing bracket, in order, how many words before it its opening "
        "bracket stands (adjacent: 1)",
    },
    limitations=(
        "Strings longer than `max_length` words are drawn again; the published definition has no "
        "limit (0 turns it off).",
        "Lengths are far from even: half of all draws from the published automaton (k = 20, m = "
        "10) have 14 words or fewer, one in a hundred more than 370.",
        "Structures that do not occur in train are long, so generalization strings are longer than "
        "those of the other splits: compare accuracies at equal distance.",
        "No string is repeated: the shortest ones are rarer here than the automaton draws them.",
    ),
    papers=(MURTY_2023,),
    language="",
    tags=("dyck", "formal-languages"),
    model_tags=("grokking",),
)

AGREEMENT = LanguageFacts(
    title="Agreement",
    summary="English-like sentences from a recursive grammar with agreement, relative and "
    "complement clauses, coordination, reflexives and negative polarity items, each with the "
    "heads, relations and tree of its derivation. Words prefer certain classes of words along "
    "every arc and have Zipf-like frequencies, and dependents stand at varying distances, so that "
    "attending by position alone finds few heads. Made for masked language models; `hf-grok data "
    "minimal-pairs` tests what they learn.",
    splits={
        "train": "sentences of 5 to 40 words, at most two clauses deep",
        "validation": "as train",
        "test": "as train",
        "generalization": "three clauses deep or more, so longer too: from the same rules, with "
        "relative and complement clauses four times as likely",
    },
    columns={
        **{name: SENTENCE_COLUMNS[name] for name in ("upos", "deprels", "heads", "spans", "tree")},
        "text": "what a language model sees: the words, separated by spaces",
        "words": "the words with the final period",
        "depth": "the most relative and complement clauses around any one word",
        "subject_number": "number of the subject of the (first) main clause",
    },
    limitations=(
        _SENTENCE_LIMITS[0],
        "Which words go together is a matter of arbitrary classes, not of what English words mean: "
        "most sentences are absurd.",
        "Where a prepositional phrase, a relative clause or a conjunct attaches is often ambiguous "
        "in the string; the gold tree is that of the derivation. No parser can be right always.",
        "Attention to a fixed offset still finds some heads: one offset has three in ten arcs, the "
        "best of each relation four in ten. Report both baselines beside any UAS.",
        "No word follows itself, and no sentence is repeated: short sentences are rarer here than "
        "the grammar draws them.",
    ),
    papers=(CHEN_2024,),
    language="en",
    tags=("agreement", "dependency-parsing", "masked-language-modeling"),
    tasks=("fill-mask", "text-generation"),
)

MINIMAL_PAIRS = LanguageFacts(
    title="Minimal pairs of the agreement grammar",
    summary="Pairs of a sentence of the grammar of `hf-grok data agreement` and one that this "
    "grammar cannot generate, in the fields of BLiMP: agreement of verbs, determiners and "
    "reflexives, filler and gap, licensing of negative polarity items, argument structure. The "
    "sentences of a pair have the same number of words and differ in one word, in two where a "
    "negation moves; a noun that could be mistaken for the subject has the other number.",
    splits={"test": "as many pairs of every paradigm, in the order of the paradigms"},
    columns={
        "sentence_good": "the sentence that the grammar generates",
        "sentence_bad": "the one that it cannot generate",
        "field": "morphology, syntax or semantics",
        "linguistics_term": "the phenomenon",
        "UID": "the paradigm",
        "pairID": "number of the pair within its paradigm, from 0",
    },
    limitations=(
        "Only the words of this grammar occur: a model of English text can be tested on them, but "
        "most sentences are absurd.",
        "Good sentences are drawn from fixed structures; a short one may also stand in the "
        "training split of `agreement`.",
        "Report paradigms apart: across phrases and clauses a model first agrees with the nearest "
        "noun, and the mean over paradigms hides it.",
    ),
    papers=(WARSTADT_2020,),
    language="en",
    tags=("minimal-pairs", "blimp", "linguistic-acceptability"),
    repetition="No pair stands twice in a paradigm",
)

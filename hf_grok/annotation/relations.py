"""Relations of ClearNLP's scheme under their names in Universal Dependencies, as a table to read.

A name is mapped where both schemes mean the same relation by it; heads are never changed. So
scores by relation stand under one name, and UAS over all arcs stays a score of its own scheme.

Sources: ClearNLP's relations: Choi and Palmer 2012, Guidelines for the CLEAR Style Constituent to
Dependency Conversion, Institute of Cognitive Science, University of Colorado Boulder, technical
report 01-12, section 4. Those of Universal Dependencies, version 2:
https://universaldependencies.org/u/dep/, English subtypes:
https://universaldependencies.org/en/dep/. The list of ClearNLP's names is that of spaCy's English
models. The pairing is ours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hf_grok.annotation.scheme import CLEARNLP, UD
from hf_grok.errors import UserError

TO_UD: Mapping[str, str] = {
    # Arguments of a verb.
    "nsubj": "nsubj",
    "nsubjpass": "nsubj:pass",
    "csubj": "csubj",
    "csubjpass": "csubj:pass",
    "dobj": "obj",
    "expl": "expl",
    "ccomp": "ccomp",
    "xcomp": "xcomp",
    "oprd": "xcomp",  # the predicate of an object: they named him president
    # Modifiers.
    "acl": "acl",
    "relcl": "acl:relcl",
    "advcl": "advcl",
    "advmod": "advmod",
    "neg": "advmod",  # UD 2 has no relation of its own for "not"
    "amod": "amod",
    "appos": "appos",
    "det": "det",
    "predet": "det:predet",
    "nummod": "nummod",
    "poss": "nmod:poss",
    # Function words that hang on the same word in both.
    "aux": "aux",  # but for the to of an infinitive, which is mark in UD
    "auxpass": "aux:pass",
    "case": "case",  # the possessive 's
    "mark": "mark",
    "preconj": "cc:preconj",
    "prt": "compound:prt",
    # The rest.
    "compound": "compound",
    "conj": "conj",  # UD: on the first conjunct; ClearNLP: on the one before
    "cc": "cc",  # UD: on the conjunct behind; ClearNLP: on the one before
    "dep": "dep",
    "intj": "discourse",
    "parataxis": "parataxis",
    "punct": "punct",
    "ROOT": "root",
    "root": "root",
}
"""ClearNLP -> UD."""

WITHOUT: Mapping[str, str] = {
    "prep": "a preposition, which heads its noun; in UD the noun is the head, nmod or obl",
    "pobj": "a preposition's noun; in UD the preposition is case of the noun",
    "pcomp": "a preposition's clause; in UD the preposition is mark or case of the clause",
    "agent": "the by of a passive, which heads its noun; in UD the noun is obl:agent",
    "attr": "what a copula links; in UD that is the head, and the copula cop",
    "acomp": "an adjective behind a copula (in UD the head) or behind another verb (xcomp)",
    "dative": "an indirect object, iobj in UD, or its preposition, which UD makes case",
    "npadvmod": "a noun phrase as an adverb: obl or nmod in UD, by what it hangs on, with subtypes",
    "nmod": "any other modifier of a noun; UD's nmod is a noun with or without a preposition",
    "quantmod": "a modifier of a number: advmod, case or compound in UD",
    "meta": "an edited or inserted piece of speech: reparandum, discourse or parataxis in UD",
}
"""ClearNLP's relations that are none of UD's, and why."""


def in_ud(relations: Sequence[str], where: str) -> list[str]:
    """The relations of a sentence in ClearNLP's scheme, named as in UD; "clearnlp:prep" if in none.

    Args:
        relations: of the words, in order; "" and "_" are none, and stay.
        where: "row 3"; a message starts with it.

    Raises:
        UserError: a relation that ClearNLP's scheme does not have.
    """
    return [_in_ud(name, where) for name in relations]


def check_target(relations: str) -> str:
    """The scheme in whose names relations are wanted.

    Raises:
        UserError: any but that of Universal Dependencies.
    """
    if relations != UD:
        raise UserError(f"relations={relations}: expected {UD}, into whose names there is a table")
    return relations


def rows_in_ud(rows: Any, scheme: str | None) -> Any:
    """Rows whose column deprels is in UD's names; as they are where the scheme is UD.

    Args:
        rows: dicts, or a `datasets.Dataset`.
        scheme: that their relations follow.

    Raises:
        UserError: a scheme that is neither, or not known; as `in_ud`; rows without relations.
    """
    if scheme == UD:
        return rows
    if scheme != CLEARNLP:
        found = "is not recorded: say scheme=" if scheme is None else f"is {scheme}: expected "
        raise UserError(
            f"relations={UD}: the scheme of these data {found}{CLEARNLP} or {UD}, between which "
            "there is a table"
        )
    if not len(rows) or "deprels" not in rows[0]:
        raise UserError(f"relations={UD}: the rows have no column deprels")
    named = [in_ud(row["deprels"] or (), f"row {at}") for at, row in enumerate(rows)]
    if hasattr(rows, "column_names"):
        return rows.remove_columns("deprels").add_column("deprels", named)
    return [{**row, "deprels": own} for row, own in zip(rows, named, strict=True)]


def _in_ud(name: str, where: str) -> str:
    if name in TO_UD:
        return TO_UD[name]
    if name in WITHOUT:
        return f"{CLEARNLP}:{name}"
    if name in ("", "_"):
        return name
    raise UserError(
        f"{where}: {name!r} is no relation of the scheme {CLEARNLP}: expected one of "
        f"{', '.join((*TO_UD, *WITHOUT))}; is the scheme right?"
    )

"""Structures of minimal pairs, written out: category, head and relation of every word.

`N[n]/3/nsubj` is a noun whose head is word 3 (counted from 1; 0: the root). The number n is drawn,
o is the other one: whatever could be mistaken for the subject has it. A star marks the words in
which the two sentences differ. The final period is added. Every template is a structure of the
agreement grammar, of five words or more as its sentences are.
"""

from __future__ import annotations

from typing import NamedTuple

from hf_grok.datasets_scripts.english_agreement.sampling import Structure


class Template(NamedTuple):
    """A structure and the 0-based places at which a pair's sentences differ."""

    structure: Structure
    marked: tuple[int, ...]


def read_template(text: str, number: str, other: str) -> Template:
    """The structure that a text describes, for one value of n and of o."""
    items = text.replace("[n]", f"[{number}]").replace("[o]", f"[{other}]").split()
    parts = [item.lstrip("*").split("/") for item in items]
    heads = [int(head) for _, head, _ in parts]
    structure = Structure(
        categories=[*(category for category, _, _ in parts), "Period"],
        heads=[*heads, heads.index(0) + 1],
        deprels=[*(relation for _, _, relation in parts), "punct"],
        spans=[],
    )
    return Template(structure, tuple(i for i, item in enumerate(items) if item[0] == "*"))


AGREEMENT_BARE = (
    "Adv/4/advmod Det[n]/3/det N[n]/4/nsubj *Vi[n][fin]/0/root",
    "Det[n]/2/det N[n]/3/nsubj *Vt[n][fin]/0/root Det[o]/5/det N[o]/3/obj",
    "Det[n]/2/det N[n]/4/nsubj *Aux[n]/4/aux Vi[n][bare]/0/root",
)
AGREEMENT_ACROSS_PP = (
    "Det[n]/2/det N[n]/6/nsubj Prep/5/case Det[o]/5/det N[o]/2/nmod *Vi[n][fin]/0/root",
    "Det[n]/2/det N[n]/6/nsubj Prep/5/case Det[o]/5/det N[o]/2/nmod *Vt[n][fin]/0/root "
    "Det[o]/8/det N[o]/6/obj",
)
AGREEMENT_ACROSS_SUBJECT_RC = (
    "Det[n]/2/det N[n]/7/nsubj Rel/4/nsubj Vt[n][fin]/2/acl:relcl Det[o]/6/det N[o]/4/obj "
    "*Vi[n][fin]/0/root",
)
AGREEMENT_ACROSS_OBJECT_RC = (
    "Det[n]/2/det N[n]/7/nsubj Rel/6/obj Det[o]/5/det N[o]/6/nsubj Vt[o][fin]/2/acl:relcl "
    "*Vi[n][fin]/0/root",
)
AGREEMENT_INSIDE_OBJECT_RC = (
    "Det[o]/2/det N[o]/7/nsubj Rel/6/obj Det[n]/5/det N[n]/6/nsubj *Vt[n][fin]/2/acl:relcl "
    "Vi[o][fin]/0/root",
)
AGREEMENT_OF_CONJOINED_VERB = (
    "Det[n]/2/det N[n]/3/nsubj Vt[n][fin]/0/root Det[o]/5/det N[o]/3/obj Coord/7/cc "
    "*Vi[n][fin]/3/conj",
)

DETERMINER_NOUN = (
    "Det[n]/2/det *N[n]/4/nsubj Aux[n]/4/aux Vi[n][bare]/0/root",
    "Det[o]/2/det N[o]/3/nsubj Vt[o][fin]/0/root Det[n]/5/det *N[n]/3/obj",
)
DETERMINER_NOUN_WITH_ADJECTIVE = (
    "Det[n]/3/det Adj/3/amod *N[n]/5/nsubj Aux[n]/5/aux Vi[n][bare]/0/root",
    "Det[o]/2/det N[o]/3/nsubj Vt[o][fin]/0/root Det[n]/6/det Adj/6/amod *N[n]/3/obj",
)

ANAPHOR = (
    "Adv/4/advmod Det[n]/3/det N[n]/4/nsubj Vt[n][fin]/0/root *Refl[n]/4/obj",
    "Det[n]/2/det N[n]/4/nsubj Aux[n]/4/aux Vt[n][bare]/0/root *Refl[n]/4/obj",
)
ANAPHOR_ACROSS_RC = (
    "Det[n]/2/det N[n]/8/nsubj Rel/6/obj Det[o]/5/det N[o]/6/nsubj Vt[o][fin]/2/acl:relcl "
    "Aux[n]/8/aux Vt[n][bare]/0/root *Refl[n]/8/obj",
)

FILLED_GAP = (
    "Det[n]/2/det N[n]/9/nsubj Rel/6/obj Det[o]/5/det N[o]/6/nsubj Vt[o][fin]/2/acl:relcl "
    "*Prep/8/case N[pl]/6/obl Vi[n][fin]/0/root",
)
MISSING_GAP = (
    "Det[n]/2/det N[n]/7/nsubj Rel/6/obj Det[o]/5/det N[o]/6/nsubj *Vt[o][fin]/2/acl:relcl "
    "Vi[n][fin]/0/root",
)
MISSING_FILLER = (
    "Det[n]/2/det N[n]/3/nsubj Vc[n][fin]/0/root Mark/7/mark Det[o]/6/det N[o]/7/nsubj "
    "*Vi[o][fin]/3/ccomp",
    "Det[n]/2/det N[n]/3/nsubj Vc[n][fin]/0/root Mark/7/mark Det[o]/6/det N[o]/7/nsubj "
    "*Vi[o][fin]/3/ccomp Prep/10/case Det[n]/10/det N[n]/7/obl",
)

NPI_NEGATION = (
    "Det[n]/2/det N[n]/5/nsubj *NegAux[n]/5/aux Ever/5/advmod Vi[n][neg]/0/root",
    "Det[n]/2/det N[n]/4/nsubj *NegAux[n]/4/aux Vt[n][neg]/0/root Any/6/det N[o]/4/obj",
    "Det[n]/2/det N[n]/4/nsubj *NegAux[n]/4/aux Vi[n][neg]/0/root Anymore/4/advmod",
)
NPI_SCOPE = (
    "Det[n]/2/det N[n]/8/nsubj Rel/5/nsubj *Aux[n]/5/aux Vi[n][bare]/2/acl:relcl "
    "*NegAux[n]/8/aux Ever/8/advmod Vi[n][neg]/0/root",
    "Det[n]/2/det N[n]/7/nsubj Rel/5/nsubj *Aux[n]/5/aux Vi[n][bare]/2/acl:relcl "
    "*NegAux[n]/7/aux Vt[n][neg]/0/root Any/9/det N[o]/7/obj",
)

INTRANSITIVE = (
    "Adv/4/advmod Det[n]/3/det N[n]/4/nsubj *Vi[n][fin]/0/root",
    "Det[n]/2/det N[n]/3/nsubj *Vi[n][fin]/0/root Prep/6/case Det[o]/6/det N[o]/3/obl",
)
TRANSITIVE = (
    "Det[n]/2/det N[n]/3/nsubj *Vt[n][fin]/0/root Det[o]/5/det N[o]/3/obj",
    "Det[n]/2/det N[n]/4/nsubj Aux[n]/4/aux *Vt[n][bare]/0/root Det[o]/6/det N[o]/4/obj",
)
DITRANSITIVE = (
    "Det[n]/2/det N[n]/3/nsubj *Vd[n][fin]/0/root Det[o]/5/det N[o]/3/iobj Det[n]/7/det N[n]/3/obj",
)
CLAUSAL = (
    "Det[n]/2/det N[n]/3/nsubj *Vc[n][fin]/0/root Mark/7/mark Det[o]/6/det N[o]/7/nsubj "
    "Vi[o][fin]/3/ccomp",
)

"""Sixty-five sentences checked by hand, word by word, against Universal Dependencies.

Each word is form/head/relation. They were drawn by the builder, read and checked one by one; the
grammar must go on giving them these heads and relations. Raise the builder's VERSION when the draws
change, and check new ones.
"""

from __future__ import annotations

from functools import cache

import pytest

from hf_grok.datasets_scripts import Agreement
from tests.datasets_scripts.english_agreement.recogniser import in_the_grammar

CHECKED = """\
# intransitive
your/3/det poor/3/amod hinds/4/nsubj swim/0/root ./4/punct
# transitive
our/3/det happy/3/amod raven/4/nsubj praises/0/root lanterns/4/obj ./4/punct
happily/3/advmod bulls/3/nsubj escort/0/root the/5/det quail/3/obj ./3/punct
# two objects
cedars/2/nsubj promise/0/root the/4/det waitresses/2/iobj castles/2/obj ./2/punct
the/2/det fern/3/nsubj shows/0/root the/5/det boy/3/iobj itself/3/obj ./3/punct
# phrase after a noun
those/2/det poems/6/nsubj with/5/case these/5/det bottles/2/nmod sparkle/0/root ./6/punct
# phrase after a verb
the/2/det riddle/3/nsubj wanders/0/root above/6/case the/6/det palace/3/obl ./3/punct
# phrase before the subject
above/3/case each/3/det harbor/6/obl our/5/det castle/6/nsubj grows/0/root ./6/punct
beyond/2/case oaks/6/obl the/4/det girl/6/nsubj won't/6/aux chatter/0/root ./6/punct
# phrase in a phrase
behind/3/case my/3/det poem/9/obl with/6/case our/6/det mirror/3/nmod your/8/det otter/9/nsubj
  trembles/0/root ./9/punct
around/4/case these/4/det noble/4/amod poems/10/obl with/7/case those/7/det wagons/4/nmod
  several/9/det princes/10/nsubj laugh/0/root ./10/punct
# subject relative clause
the/2/det badger/5/nsubj which/4/nsubj falls/2/acl:relcl weeps/0/root ./5/punct
openly/5/advmod heroines/5/nsubj who/4/nsubj wait/2/acl:relcl doze/0/root ./5/punct
# subject relative clause with an object
another/2/det oak/8/nsubj which/4/nsubj removes/2/acl:relcl famous/7/amod rich/7/amod
  novels/4/obj trembles/0/root ./8/punct
the/2/det newt/8/nsubj which/4/nsubj repairs/2/acl:relcl today/4/advmod itself/4/obj won't/8/aux
  collapse/0/root ./8/punct
# object relative clause
often/8/advmod my/3/det willow/8/nsubj which/7/obj smooth/6/amod ladders/7/nsubj
  repair/3/acl:relcl wanders/0/root ./8/punct
clumsily/9/advmod the/3/det castles/9/nsubj which/8/obj many/6/det songs/8/nsubj do/8/aux
  protect/3/acl:relcl vanish/0/root ./9/punct
# object relative clause on an object
your/3/det old/3/amod bakery/6/nsubj remarkably/5/advmod available/3/amod describes/0/root
  my/8/det lamps/6/obj which/12/obj museums/12/nsubj can't/12/aux quote/8/acl:relcl ./6/punct
often/7/advmod the/6/det old/6/amod rowdy/6/amod loud/6/amod towers/7/nsubj avoid/0/root
  my/9/det rooster/7/obj which/13/obj my/12/det oaks/13/nsubj avoid/9/acl:relcl ./7/punct
# object relative clause with an indirect object
the/2/det vulture/11/nsubj which/6/obj their/5/det tavern/6/nsubj sends/2/acl:relcl
  mysterious/10/amod strange/10/amod small/10/amod tulips/6/iobj trembles/0/root ./11/punct
apparently/16/advmod several/6/det broad/6/amod greasy/6/amod narrow/6/amod waiters/16/nsubj
  who/11/obj this/10/det green/10/amod helmet/11/nsubj loans/6/acl:relcl your/14/det
  shrill/14/amod princess/11/iobj don't/16/aux bloom/0/root ./16/punct
# phrase and relative clause on one noun
slowly/9/advmod the/3/det lamp/9/nsubj beside/6/case shrill/6/amod cottages/3/nmod which/8/nsubj
  trembles/3/acl:relcl falls/0/root ./9/punct
our/4/det peculiar/4/amod bizarre/4/amod rumor/13/nsubj near/7/case the/7/det stallion/4/nmod
  which/12/obj the/10/det oaks/12/nsubj must/12/aux see/4/acl:relcl wanders/0/root ./13/punct
# complement clause
the/2/det inn/3/nsubj declares/0/root that/7/mark my/6/det chapels/7/nsubj laugh/3/ccomp
  ./3/punct
often/5/advmod this/3/det hen/5/nsubj ablaze/3/amod suspects/0/root that/8/mark monks/8/nsubj
  linger/5/ccomp ./5/punct
# complement clause in a complement clause
the/2/det cow/3/nsubj declares/0/root that/6/mark princesses/6/nsubj think/3/ccomp that/14/mark
  nowadays/14/advmod those/10/det ladders/14/nsubj above/13/case your/13/det princess/10/nmod
  grow/6/ccomp sadly/3/advmod ./3/punct
the/3/det polite/3/amod newts/4/nsubj hope/0/root that/8/mark the/7/det roosters/8/nsubj
  say/4/ccomp that/14/mark quickly/14/advmod your/12/det uncle/14/nsubj does/14/aux
  laugh/8/ccomp however/14/advmod ./4/punct
# conjoined nouns
your/2/det oak/6/nsubj and/5/cc every/5/det cactus/2/conj wait/0/root ./6/punct
each/2/det song/7/nsubj and/6/cc the/6/det strange/6/amod ballad/2/conj glow/0/root ./7/punct
# conjoined verbs
certainly/3/advmod oaks/3/nsubj grow/0/root and/5/cc wither/3/conj ./3/punct
# conjoined clauses
your/2/det zebra/3/nsubj weeps/0/root and/9/cc however/9/advmod my/8/det ancient/8/amod
  badger/9/nsubj smiles/3/conj moreover/9/advmod ./3/punct
our/4/det ancient/4/amod quiet/4/amod harbors/6/nsubj available/4/amod sing/0/root and/10/cc
  your/9/det girls/10/nsubj hum/6/conj ./6/punct
# conjoined adjectives after the noun
probably/6/advmod oaks/6/nsubj extinct/2/amod and/5/cc alive/3/conj sleep/0/root ./6/punct
the/2/det waiters/6/nsubj ashore/2/amod and/5/cc adrift/3/conj rest/0/root ./6/punct
# adjective with a complement
our/2/det novel/7/nsubj unaware/2/amod of/6/case my/6/det beetle/3/obl strolls/0/root ./7/punct
the/2/det uncles/7/nsubj unworthy/2/amod of/6/case your/6/det monk/3/obl whistle/0/root
  ./7/punct
# adverb of degree, adjective after the noun
the/2/det thistle/5/nsubj rather/4/advmod asleep/2/amod dozes/0/root ./5/punct
# adverb of degree
the/4/det unusually/3/advmod slender/4/amod waiters/5/nsubj ripen/0/root ./5/punct
every/4/det rather/3/advmod hoarse/4/amod sister/5/nsubj laughs/0/root ./5/punct
# three adjectives
purple/4/amod happy/4/amod crimson/4/amod otters/5/nsubj smile/0/root ./5/punct
# adverb between verb and object
my/2/det waitress/3/nsubj carries/0/root apparently/3/advmod herself/3/obj ./3/punct
duchesses/2/nsubj spot/0/root secretly/2/advmod the/5/det castles/2/obj ./2/punct
# adverb before an auxiliary
another/3/det quiet/3/amod girl/6/nsubj suddenly/6/advmod won't/6/aux sing/0/root ./6/punct
# auxiliary
the/3/det strange/3/amod kettles/5/nsubj don't/5/aux grow/0/root ./5/punct
# ever
the/2/det yaks/5/nsubj can't/5/aux ever/5/advmod fall/0/root ./5/punct
your/2/det actor/5/nsubj doesn't/5/aux ever/5/advmod grow/0/root ./5/punct
# any
each/2/det orchid/4/nsubj mustn't/4/aux avoid/0/root any/7/det dusty/7/amod waitresses/4/obj
  ./4/punct
however/5/advmod my/3/det sister/5/nsubj can't/5/aux forgive/0/root any/7/det heroine/5/obj
  ./5/punct
# anymore
the/3/det famous/3/amod willow/6/nsubj extinct/3/amod mustn't/6/aux shine/0/root
  anymore/6/advmod ./6/punct
suddenly/6/advmod my/4/det happy/4/amod boy/6/nsubj can't/6/aux smile/0/root anymore/6/advmod
  ./6/punct
# masculine reflexive
publicly/4/advmod the/3/det waiter/4/nsubj spots/0/root himself/4/obj ./4/punct
# feminine reflexive
this/2/det nun/3/nsubj sees/0/root secretly/3/advmod herself/3/obj ./3/punct
our/2/det baroness/3/nsubj carries/0/root herself/3/obj apparently/3/advmod ./3/punct
# neuter reflexive
my/3/det orange/3/amod raven/4/nsubj praises/0/root itself/4/obj ./4/punct
their/2/det lilac/4/nsubj asleep/2/amod observes/0/root itself/4/obj ./4/punct
# plural reflexive
your/3/det loud/3/amod sisters/4/nsubj admire/0/root themselves/4/obj ./4/punct
the/2/det boars/3/nsubj quote/0/root slowly/3/advmod themselves/3/obj ./3/punct
# reflexive in a relative clause
strange/2/amod essays/8/nsubj which/4/nsubj cover/2/acl:relcl usually/4/advmod themselves/4/obj
  will/8/aux wander/0/root sadly/8/advmod ./8/punct
the/4/det modern/4/amod old/4/amod cows/5/nsubj offer/0/root monks/5/iobj who/8/nsubj
  lift/6/acl:relcl themselves/8/obj our/15/det unusually/12/advmod bulky/15/amod plump/15/amod
  narrow/15/amod witch/5/obj ./5/punct
# reflexive of a conjoined verb
the/5/det huge/5/amod small/5/amod huge/5/amod actor/6/nsubj sleeps/0/root and/8/cc sees/6/conj
  himself/8/obj ./6/punct
carefully/4/advmod the/3/det palace/4/nsubj emerges/0/root skilfully/4/advmod but/7/cc
  follows/4/conj happily/7/advmod itself/7/obj ./4/punct
# relative clause in a relative clause
sadly/12/advmod my/4/det famous/4/amod legend/12/nsubj which/10/obj their/7/det waiter/10/nsubj
  who/9/nsubj waits/7/acl:relcl spots/4/acl:relcl rarely/12/advmod conceals/0/root my/14/det
  tavern/12/obj ./12/punct
moreover/16/advmod my/4/det quiet/4/amod queens/16/nsubj across/7/case my/7/det tomcat/4/nmod
  which/9/nsubj crawls/7/acl:relcl and/13/cc the/13/det smooth/13/amod boy/4/conj who/15/nsubj
  sings/13/acl:relcl smile/0/root ./16/punct
# relative and complement clause
your/2/det monk/6/nsubj who/5/nsubj doesn't/5/aux rest/2/acl:relcl declares/0/root that/13/mark
  quickly/13/advmod my/11/det silent/11/amod sisters/13/nsubj won't/13/aux giggle/6/ccomp
  ./6/punct
the/2/det pumpkins/3/nsubj deny/0/root that/9/mark skilfully/9/advmod every/8/det royal/8/amod
  tomcat/9/nsubj follows/3/ccomp gentle/11/amod ravens/9/obj which/14/nsubj can/14/aux
  tremble/11/acl:relcl ./3/punct
"""
DRAWN = 4_000


def checked() -> list[tuple[str, list[list[str]]]]:
    """Construction, and form, head and relation of each word; a sentence ends with its period."""
    found: list[tuple[str, list[list[str]]]] = []
    words: list[list[str]] = []
    construction = ""
    for line in CHECKED.splitlines():
        if line.startswith("# "):
            construction = line[2:]
            continue
        words += [word.split("/") for word in line.split()]
        if words[-1][0] == ".":
            found.append((construction, words))
            words = []
    return found


@cache
def drawn() -> dict[str, tuple[list[int], list[str]]]:
    only_test = dict.fromkeys(("train_size", "validation_size", "generalization_size"), 0)
    examples = Agreement(**only_test, test_size=DRAWN).examples("test")
    return {e.text: (e.structure.heads, e.structure.deprels) for e in examples}


def test_there_are_sixty_across_constructions() -> None:
    texts = {" ".join(form for form, _, _ in words) for _, words in checked()}
    assert len(texts) == len(checked()) == 65
    assert len({construction for construction, _ in checked()}) >= 30
    relations = {relation for _, words in checked() for _, _, relation in words}
    assert relations == {
        *("root", "nsubj", "obj", "iobj", "obl", "nmod", "amod", "advmod", "det", "case", "aux"),
        *("mark", "ccomp", "acl:relcl", "conj", "cc", "punct"),
    }


@pytest.mark.parametrize(
    "words", [pytest.param(words, id=f"{kind} {i}") for i, (kind, words) in enumerate(checked())]
)
def test_heads_and_relations_are_those_checked_by_hand(words: list[list[str]]) -> None:
    text = " ".join(form for form, _, _ in words)
    heads, deprels = drawn()[text]
    assert heads == [int(head) for _, head, _ in words]
    assert deprels == [relation for _, _, relation in words]
    assert in_the_grammar(text)

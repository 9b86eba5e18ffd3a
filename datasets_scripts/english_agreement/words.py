"""The words of the agreement grammar: one line a class, the commonest first.

Open categories have eight lines, classes 0 to 7. No form belongs to two categories, so a word's
part of speech never has to be guessed; the meanings of English words play no part in which of
them go together.
"""

from __future__ import annotations

Lines = tuple[tuple[str, ...], ...]


def _lines(text: str) -> Lines:
    return tuple(tuple(line.split()) for line in text.strip().splitlines())


# Classes 0 to 2 have genders, masculine and feminine in turn; 0 and 1 are persons.
NOUNS = _lines("""
    boy girl king queen uncle aunt brother sister nephew niece prince princess father mother
    waiter waitress monk nun actor actress wizard witch duke duchess baron baroness hero heroine
    rooster hen bull cow stallion mare ram ewe stag hind tomcat vixen boar sow
    newt raven otter badger yak zebra walrus vulture salamander falcon beetle rabbit tiger quail
    oak tulip willow cedar orchid maple cactus thistle poplar daisy fern lilac mushroom pumpkin
    castle tower tavern cottage chapel museum palace lighthouse barn bakery harbor temple mill inn
    lamp ladder kettle fiddle mirror basket carpet lantern wagon helmet bottle needle drum anchor
    poem novel letter song legend ballad riddle essay theory proverb rumor sonnet recipe atlas
""")
GENDERED_CLASSES = (0, 1, 2)
PERSON_CLASSES = (0, 1)

TRANSITIVE = _lines("""
    admire praise accuse forgive console tease flatter
    see notice observe recognize spot glimpse identify
    follow chase pursue catch overtake escort precede
    build repair polish decorate restore dismantle assemble
    avoid fear mistrust resist oppose defy dread
    describe mention portray imitate depict criticize quote
    carry lift drag push fetch remove hoist
    protect surround cover conceal shelter hide adorn
""")
INTRANSITIVE = _lines("""
    laugh smile weep giggle blush
    sleep wait rest doze linger
    arrive vanish depart emerge disappear
    fall tremble collapse wobble topple
    glow shine sparkle flicker glimmer
    sing whistle hum mumble chatter
    grow bloom thrive ripen wither
    wander swim crawl stroll gallop
""")
DITRANSITIVE = _lines("""
    give grant
    show teach
    send mail
    lend loan
    promise owe
    tell read
    hand pass
    offer serve
""")
CLAUSAL = _lines("""
    think believe
    know realize
    say declare
    hope pray
    doubt deny
    claim insist
    imagine pretend
    suspect predict
""")

ADJECTIVES = _lines("""
    happy kind clever brave gentle polite cheerful jealous lazy witty
    small tall thin huge narrow plump tiny slender broad bulky
    old young ancient modern elderly newborn medieval recent antique youthful
    red green golden purple silver yellow scarlet orange crimson violet
    strange famous obscure curious mysterious notorious peculiar odd popular bizarre
    quiet loud noisy silent hoarse shrill melodious mute squeaky rowdy
    rough smooth soft sticky damp dusty fragile brittle greasy prickly
    rich poor lucky noble humble royal wretched wealthy unlucky penniless
""")
POSTNOMINAL = _lines("""
    alone unaccompanied
    awake asleep
    present absent
    nearby aboard
    alive extinct
    available unavailable
    ashore adrift
    ablaze aglow
""")
RELATIONAL = _lines("""
    proud ashamed
    afraid wary
    fond envious
    full devoid
    aware unaware
    worthy unworthy
    capable incapable
    typical reminiscent
""")

ADVERBS = _lines("""
    often rarely sometimes usually
    quickly slowly suddenly gradually
    apparently probably perhaps certainly
    happily sadly angrily calmly
    however moreover nevertheless therefore
    secretly openly publicly privately
    carefully clumsily skilfully carelessly
    today tomorrow tonight nowadays
""")
DEGREES = _lines("""
    very
    quite
    rather
    extremely
    fairly
    unusually
    remarkably
    somewhat
""")
PREPOSITIONS = _lines("""
    near beside
    with without
    behind beyond
    above below
    under beneath
    around across
    against toward
    inside outside
""")

SINGULAR_DETERMINERS = ("this", "each", "every", "another")
PLURAL_DETERMINERS = ("these", "those", "several", "many")
DETERMINERS = ("the", "my", "your", "our", "their")
MODALS = ("can", "will", "may", "must", "should")
NEGATIVE_MODALS = ("can't", "won't", "mustn't", "shouldn't")
CONJUNCTIONS = ("and", "but", "or")

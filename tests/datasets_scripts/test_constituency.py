"""Penn brackets as rows, against nltk's reader; what is refused, with file and line."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datasets
import pytest
from nltk import Tree  # type: ignore[import-untyped, unused-ignore]

from hf_grok.datasets_scripts import ConstituencyTreebank, Treebank
from hf_grok.datasets_scripts.readers.penn import DEEPEST
from hf_grok.errors import UserError
from tests.real_data import ENGLISH

needs_gum = pytest.mark.skipif(
    not (ENGLISH / "gum_dev.ptb.xz").is_file(), reason="shared/data/english has no GUM"
)


def unpacked(kind: str) -> str:
    with lzma.open(ENGLISH / f"gum_dev.{kind}.xz", "rt", encoding="utf-8") as file:
        return file.read()


# As the Penn Treebank has it: a root without a label, traces, functions, indices, escapes.
WSJ = r"""
( (S
    (NP-SBJ-1 (DT The) (NN dog) )
    (VP (VBZ seems)
      (S
        (NP-SBJ (-NONE- *-1) )
        (VP (TO to)
          (VP (VB eat)
            (NP (-LRB- -LRB-) (CD 1\/2) (-RRB- -RRB-) (NNS bones) (NN a\*b) )))))
    (. .) ))
( (S (NP-SBJ (-NONE- *) ) (VP (VB Go) ) (. !) ))
(FRAG (NP (NN Yes)))
"""


def write(folder: Path, text: str, name: str = "trees.ptb") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def by_nltk(text: str, *, factor: str | None = None) -> Iterator[tuple[list[str], list[Any], str]]:
    """(words, spans of two words or more, the tree on a line) of every tree of a text."""
    blocks = ("\n" + text).split("\n(")[1:]
    for block in blocks:
        tree = Tree.fromstring("(" + block)
        for place in sorted(tree.treepositions(), reverse=True):
            node = tree[place] if place else None
            if isinstance(node, Tree) and (node.label() == "-NONE-" or not len(node)):
                del tree[place]
        if tree.label() in ("", "ROOT") and len(tree) == 1 and isinstance(tree[0][0], Tree):
            tree = tree[0]
        tree.collapse_unary(collapsePOS=False, collapseRoot=True)
        if factor is not None:
            tree.chomsky_normal_form(factor=factor, horzMarkov=0)
        counted = tree.copy(deep=True)
        for number, place in enumerate(counted.treepositions("leaves")):
            counted[place] = number
        spans = [
            [node.leaves()[0], node.leaves()[-1] + 1]
            for node in counted.subtrees()
            if len(node.leaves()) > 1
        ]
        yield tree.leaves(), spans, tree.pformat(margin=10**9)


def assert_as_nltk(file: Path, text: str, binarise: str | None = None) -> None:
    rows = ConstituencyTreebank(file, binarise=binarise)
    expected = list(by_nltk(text, factor=binarise))
    assert len(rows) == len(expected)
    for row, (words, spans, tree) in zip(rows, expected, strict=True):
        assert row["spans"] == spans
        assert len(row["words"]) == len(row["xpos"]) == len(words)
        if binarise is None:
            assert row["tree"] == tree.replace("\\/", "/").replace("\\*", "*")


def test_the_penn_treebanks_own_form(tmp_path: Path) -> None:
    file = write(tmp_path, WSJ)
    first, second, third = ConstituencyTreebank(file)
    assert first == {
        "sent_id": "",
        "text": "The dog seems to eat ( 1/2 ) bones a*b .",
        "words": ["The", "dog", "seems", "to", "eat", "(", "1/2", ")", "bones", "a*b", "."],
        "xpos": ["DT", "NN", "VBZ", "TO", "VB", "-LRB-", "CD", "-RRB-", "NNS", "NN", "."],
        "spans": [[0, 11], [0, 2], [2, 10], [3, 10], [4, 10], [5, 10]],
        "tree": "(S (NP-SBJ-1 (DT The) (NN dog)) (VP (VBZ seems) (S+VP (TO to) (VP (VB eat) (NP "
        "(-LRB- -LRB-) (CD 1/2) (-RRB- -RRB-) (NNS bones) (NN a*b))))) (. .))",
    }
    assert second["tree"] == "(S (VP (VB Go)) (. !))"
    assert (third["spans"], third["tree"]) == ([], "(FRAG+NP (NN Yes))")
    assert_as_nltk(file, WSJ)


@pytest.mark.parametrize(
    ("binarise", "spans"),
    [
        (None, [[0, 4], [0, 2]]),
        ("right", [[0, 4], [0, 2], [2, 4]]),
        ("left", [[0, 4], [0, 3], [0, 2]]),
    ],
)
def test_binarised_as_stated(tmp_path: Path, binarise: str | None, spans: Any) -> None:
    file = write(tmp_path, "(S (NP (DT a) (NN b)) (VB c) (RB d))")
    [row] = ConstituencyTreebank(file, binarise=binarise)
    assert row["spans"] == spans
    for factor in ("left", "right"):
        assert_as_nltk(write(tmp_path, WSJ), WSJ, factor)


def test_punctuation_is_taken_out_by_tag_and_what_is_left_numbered(tmp_path: Path) -> None:
    first, second, _ = ConstituencyTreebank(write(tmp_path, WSJ), keep_punct=False)
    assert first["words"] == ["The", "dog", "seems", "to", "eat", "1/2", "bones", "a*b"]
    assert first["spans"] == [[0, 8], [0, 2], [2, 8], [3, 8], [4, 8], [5, 8]]
    assert second["tree"] == "(S+VP (VB Go))"
    [alone] = ConstituencyTreebank(write(tmp_path, "(X (. .) (. .))"), keep_punct=False)
    assert alone["words"] == [".", "."]


CONLLU = """\
# sent_id = a
# text = Go on, you.
1\tGo\t_\tVERB\t_\t_\t0\troot\t_\t_
2\ton\t_\tADP\t_\t_\t1\tcompound\t_\tSpaceAfter=No
3\t,\t_\tPUNCT\t_\t_\t4\tpunct\t_\t_
4\tyou\t_\tPRON\t_\t_\t1\tvocative\t_\tSpaceAfter=No
5\t.\t_\tPUNCT\t_\t_\t1\tpunct\t_\t_
"""
GO = "(S (VP (VB Go) (RP on)) (, ,) (NP (PRP you)) (. .))"


def test_heads_come_from_the_file_of_the_same_sentences(tmp_path: Path) -> None:
    trees, deps = write(tmp_path, GO), write(tmp_path, CONLLU, "a.conllu")
    for keep in (True, False):
        [row] = ConstituencyTreebank(trees, dependencies=deps, keep_punct=keep)
        [alone] = Treebank(deps, keep_punct=keep)
        assert {name: row[name] for name in alone} == alone
    assert row["words"] == ["Go", "on", "you"]
    assert row["spans"] == [[0, 3], [0, 2]]


@pytest.mark.parametrize(
    ("trees", "told"),
    [
        (
            GO.replace("Go", "Stop"),
            r"ptb:1: word 1 of the tree is 'Stop', and 'Go' in sentence 'a'",
        ),
        (GO.replace("(NP (PRP you)) ", ""), r"ptb:1: word 4 of the tree is '.', and 'you'"),
        (GO.replace(" (. .)", ""), r"ptb:1: the tree has 4 words, and sentence 'a' at .* has 5"),
        (f"{GO}\n{GO}", r"ptb:2: tree 2 has no sentence in .*a.conllu, which ends after 1"),
    ],
)
def test_trees_and_dependencies_that_disagree(trees: str, told: str, tmp_path: Path) -> None:
    deps = write(tmp_path, CONLLU, "a.conllu")
    with pytest.raises(UserError, match=told):
        ConstituencyTreebank(write(tmp_path, trees), dependencies=deps)


def test_a_sentence_without_a_tree(tmp_path: Path) -> None:
    deps = write(tmp_path, CONLLU + "\n" + CONLLU, "a.conllu")
    with pytest.raises(UserError, match=r"conllu:11: sentence 2 \('Go on, you.'\) has no tree"):
        ConstituencyTreebank(write(tmp_path, GO), dependencies=deps)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{GO}\n(S (NP (DT a)\n  (NN b))\n{GO}", "ptb:2: 1 bracket of the tree that begins here"),
        (f"{GO}\n(S (NP (DT a)\n  (NN b", "not closed by its end, line 3; the innermost opens in"),
        (f"{GO}\n{GO})", "ptb:2: a bracket closes that was not opened"),
        (f"{GO}\nJohn", "ptb:2: 'John', outside of every tree"),
        (
            "(S (NP the dog barks))",
            "ptb:1: a bracket that holds 'NP the dog barks'",
        ),
        ("(S (NP (DT the) dog))", "ptb:1: 'dog' stands beside brackets"),
        ("(S (NN))", "ptb:1: a bracket that holds 'NN'"),
        ("(S ())", "ptb:1: a bracket that holds nothing"),
        ("(NP (-NONE- *))", "ptb:1: a tree of empty elements alone"),
        ("(X " * (DEEPEST + 1), f"ptb:1: more than {DEEPEST} brackets within one another"),
        ("\n", "the file holds no tree"),
    ],
)
def test_brackets_that_are_none(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=told):
        ConstituencyTreebank(write(tmp_path, text))


def test_wrong_trees_are_left_out_and_counted_where_that_is_asked(tmp_path: Path) -> None:
    file = write(tmp_path, f"{GO}\n(S (NP (DT a)\n{GO}\n")
    treebank = ConstituencyTreebank(file, skip_bad_lines=True)
    assert (len(treebank), treebank.bad.count) == (2, 1)
    assert "1 bad line was left out" in repr(treebank)
    with pytest.raises(UserError, match="the heads of another sentence"):
        ConstituencyTreebank(file, dependencies=file, skip_bad_lines=True)
    with pytest.raises(UserError, match=r"binarise 'middle'.*left"):
        ConstituencyTreebank(file, binarise="middle")


def test_rows_are_a_data_set(tmp_path: Path) -> None:
    rows = ConstituencyTreebank(write(tmp_path, WSJ))
    made = datasets.Dataset.from_list(list(rows))
    assert made[0] == rows[0]
    assert rows[:2] == list(rows)[:2]


@needs_gum
@pytest.mark.parametrize("binarise", [None, "left", "right"])
def test_gum_is_read_as_nltk_reads_it(binarise: str | None, tmp_path: Path) -> None:
    text = unpacked("ptb")
    text = text[: text.index("\n(ROOT", len(text) // 10)]
    assert_as_nltk(write(tmp_path, text), text, binarise)


@needs_gum
def test_gums_trees_and_heads_are_of_the_same_words(tmp_path: Path) -> None:
    for kind in ("ptb", "conllu"):
        write(tmp_path, unpacked(kind), f"gum.{kind}")
    rows = ConstituencyTreebank(tmp_path / "gum.ptb", dependencies=tmp_path / "gum.conllu")
    assert (len(rows), sum(len(row["words"]) for row in rows)) == (1575, 28119)
    crossing = [
        (row["sent_id"], one, other)
        for row in rows
        for one in row["spans"]
        for other in row["spans"]
        if one[0] < other[0] < one[1] < other[1]
    ]
    assert not crossing

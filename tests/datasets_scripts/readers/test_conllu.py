"""CoNLL-U files: what is read, what is left out, and what is refused with file and line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import datasets
import pytest

from hf_grok.annotation.rows import column
from hf_grok.annotation.sentences import dependency_sentences
from hf_grok.datasets_scripts import Treebank
from hf_grok.datasets_scripts.readers.conllu import read_conllu
from hf_grok.errors import UserError
from hf_grok.text.files import read_lines
from tests.real_data import EWT

needs_ewt = pytest.mark.skipif(not EWT.is_file(), reason="shared/data has no UD English EWT")


def node(number: object, form: str, head: object = "_", deprel: str = "_", misc: str = "_") -> str:
    upos = "PUNCT" if deprel == "punct" else "X"
    return "\t".join(map(str, [number, form, "_", upos, "_", "_", head, deprel, "_", misc]))


FIRST = (
    "# newdoc id = one",
    "# sent_id = one-1",
    "# text = I don't!",
    node(1, "I", 2, "nsubj"),
    node("2-3", "don't", misc="SpaceAfter=No"),
    node(2, "do", 0, "root"),
    node(3, "n't", 2, "advmod"),
    node("3.1", "go"),
    node(4, "!", 2, "punct"),
)
SECOND = (node(1, "Yes", 0, "root"),)


def write(folder: Path, *sentences: Sequence[str], end: str = "\n", tail: str = "\n\n") -> Path:
    file = folder / "trees.conllu"
    text = (end + end).join(end.join(lines) for lines in sentences)
    file.write_bytes((text + tail).encode("utf-8"))
    return file


def test_columns(tmp_path: Path) -> None:
    treebank = Treebank(write(tmp_path, FIRST, SECOND))
    assert list(treebank) == [
        {
            "sent_id": "one-1",
            "document": "one",
            "text": "I don't!",
            "words": ["I", "do", "n't", "!"],
            "upos": ["X", "X", "X", "PUNCT"],
            "heads": [2, 0, 2, 2],
            "deprels": ["nsubj", "root", "advmod", "punct"],
        },
        {
            "sent_id": "",
            "document": "one",
            "text": "Yes",
            "words": ["Yes"],
            "upos": ["X"],
            "heads": [0],
            "deprels": ["root"],
        },
    ]
    assert len(treebank) == 2
    assert treebank[-1]["words"] == ["Yes"]
    assert treebank[:1] == [treebank[0]]
    assert repr(treebank).endswith("trees.conllu': 2 sentences, 5 words)")


@pytest.mark.parametrize(
    ("comment", "expected"),
    {
        "# newdoc id = two": "two",
        "#newdoc id=a b-2 ": "a b-2",
        "# newdoc": "trees.conllu:3",
        "# newdoc id =": "trees.conllu:3",
        "# newdocument id = two": "trees.conllu:2",
        "# text = # newdoc id = two": "trees.conllu:2",
        "# newpar id = two": "trees.conllu:2",
    }.items(),
)
def test_documents_begin_at_their_comments(comment: str, expected: str, tmp_path: Path) -> None:
    sentences = [SECOND, FIRST, SECOND, ("# newdoc", *SECOND), (comment, "# x", *SECOND), SECOND]
    documents = [row["document"] for row in Treebank(write(tmp_path, *sentences))]
    assert documents == ["trees.conllu", "one", "one", "trees.conllu:2", expected, expected]


def test_a_document_whose_first_sentence_is_left_out_begins_all_the_same(tmp_path: Path) -> None:
    wrong = ("# newdoc id = two", node(1, "Yes", 7, "root"))
    treebank = Treebank(write(tmp_path, FIRST, wrong, SECOND), skip_bad_lines=True)
    assert [row["document"] for row in treebank] == ["one", "two"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", ["", "\n", "\n\n", "\n\n\n", "\r\n\r\n"])
def test_line_ends_and_the_last_empty_line_do_not_matter(
    end: str, tail: str, tmp_path: Path
) -> None:
    expected = list(Treebank(write(tmp_path, FIRST, SECOND)))
    assert list(Treebank(write(tmp_path, FIRST, SECOND, end=end, tail=tail))) == expected


def test_a_byte_order_mark_is_no_part_of_the_first_comment(tmp_path: Path) -> None:
    file = write(tmp_path, FIRST)
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert Treebank(file)[0]["sent_id"] == "one-1"


def test_unicode_line_breaks_and_spaces_are_parts_of_words(tmp_path: Path) -> None:
    forms = ["a\u2028b", "c\x85d", "10 000", "\u00a0", "#", "_"]
    lines = [node(n, form, n - 1, "dep") for n, form in enumerate(forms, start=1)]
    assert Treebank(write(tmp_path, lines))[0]["words"] == forms


def test_text_is_made_of_forms_where_no_comment_gives_it(tmp_path: Path) -> None:
    lines = [line for line in FIRST if not line.startswith("# text")]
    assert Treebank(write(tmp_path, lines))[0]["text"] == "I don't!"
    spaced = [line.replace("SpaceAfter=No", "Gloss=x|SpaceAfter=Not") for line in lines]
    assert Treebank(write(tmp_path, spaced))[0]["text"] == "I don't !"


def test_without_punctuation_the_rest_is_numbered_anew(tmp_path: Path) -> None:
    lines = [
        node(1, "(", 3, "punct"),
        node(2, "see", 1, "dep"),  # on punctuation, which is on word 3
        node(3, "it", 5, "obj"),
        node(4, "-", 1, "punct:hyphen"),
        node(5, ":)", 0, "punct"),  # a root stays, whatever its relation
        node(6, "there", 4, "dep"),  # on punctuation on punctuation
    ]
    file = write(tmp_path, lines)
    row = Treebank(file, keep_punct=False)[0]
    assert (row["words"], row["heads"]) == (["see", "it", ":)", "there"], [2, 3, 0, 2])
    assert row["deprels"] == ["dep", "obj", "punct", "dep"]
    assert row["text"] == Treebank(file)[0]["text"]


def test_rows_are_what_the_probes_and_datasets_take(tmp_path: Path) -> None:
    treebank = Treebank(write(tmp_path, FIRST, SECOND))
    assert column(treebank, "heads") == [[2, 0, 2, 2], [0]]
    assert dependency_sentences(treebank)[0].words == ("I", "do", "n't", "!")
    dataset = datasets.Dataset.from_list(list(treebank))
    assert dataset.to_list() == list(treebank)
    assert column(dataset, "deprels") == column(treebank, "deprels")


def test_sentences_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    sentences = read_conllu(write(tmp_path, SECOND, [node(1, "a", 2, "dep")]))
    assert next(sentences).text == "Yes"
    with pytest.raises(UserError, match=r"conllu:3: head 2 of word 1 \('a'\): the sentence has 1"):
        next(sentences)


BAD_SENTENCES = {
    "cycle": ([node(1, "a", 0), node(2, "b", 3), node(3, "c", 2)], 2, "in a cycle: 2 -> 3 -> 2"),
    "cycle above": (
        [node(1, "a", 2), node(2, "b", 3), node(3, "c", 2), node(4, "d", 0)],
        2,
        "in a cycle: 2 -> 3 -> 2",
    ),
    "own head": ([node(1, "a", 0), node(2, "b", 2)], 2, "heads go in a cycle: 2 -> 2"),
    "head out of range": ([node(1, "a", 0), node(2, "b", 3)], 2, "head 3 of word 2 ('b')"),
    "no root": ([node(1, "a", 2), node(2, "b", 1)], 1, "no word has head 0"),
    "two roots": ([node(1, "a", 0), node(2, "b", 0)], 2, "2 words have head 0"),
    "no head": ([node(1, "a")], 1, "head '_' of word 1 ('a'): expected the number of a word"),
    "negative head": ([node(1, "a", -1)], 1, "head '-1'"),
    "foreign digits": ([node(1, "a", "\u0661")], 1, "head '\u0661'"),
    "columns": ([node(1, "a", 0), "2\tb\tx"], 2, "expected 10 columns with tabs between them"),
    "spaces": (["1 a _ X _ _ 0 root _ _"], 1, "got 1: '1 a"),
    "blanks": ([node(1, "a", 0), "  "], 2, "got 1: '  '"),
    "empty column": ([node(1, "a", 0).replace("X", "")], 1, "column UPOS is empty"),
    "id skipped": ([node(1, "a", 0), node(3, "b", 1)], 2, "id '3': expected 2"),
    "id repeated": ([node(1, "a", 0), node(1, "b", 1)], 2, "id '1': expected 2"),
    "id from 0": ([node(0, "a", 0)], 1, "id '0': expected 1"),
    "id no number": ([node("one", "a", 0)], 1, "id 'one': expected 1"),
    "range late": ([node(1, "a", 0), node("1-2", "ab"), node(2, "b", 1)], 2, "range 1-2 where"),
    "range backwards": ([node("1-0", "a"), node(1, "a", 0)], 1, "id '1-0': expected 1"),
    "range reversed": ([node(1, "a", 0), node("2-1", "ab")], 2, "range 2-1 where word 2 is next"),
    "range too long": ([node("1-2", "ab"), node(1, "a", 0)], 1, "range to 2 in 1 words"),
    "comments alone": (["# sent_id = x"], 1, "comments without a sentence below them"),
    "only an empty node": ([node("0.1", "a")], 1, "no syntactic word"),
}


@pytest.mark.parametrize("name", BAD_SENTENCES)
def test_a_bad_line_is_named_with_its_file_and_number(name: str, tmp_path: Path) -> None:
    lines, number, message = BAD_SENTENCES[name]
    file = write(tmp_path, FIRST, lines, SECOND)
    with pytest.raises(UserError) as caught:
        Treebank(file)
    assert str(caught.value).startswith(f"{file}:{len(FIRST) + 1 + number}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n\r\n\n"])
def test_a_file_without_a_sentence_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "trees.conllu"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"trees\.conllu: the file holds no sentence"):
        Treebank(file)


def test_a_file_that_is_no_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "trees.conllu"
    file.write_bytes(node(1, "é", 0).encode("utf-8") + b"\n" + node(2, "é", 1).encode("latin-1"))
    with pytest.raises(UserError, match=r"trees\.conllu:2: expected UTF-8 text; .* 0xe9"):
        Treebank(file)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.conllu", tmp_path):
        with pytest.raises(UserError, match="there is no file"):
            Treebank(path)


def test_reading_needs_neither_torch_nor_datasets(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from hf_grok.datasets_scripts import Treebank\n"
        f"assert len(Treebank({str(write(tmp_path, FIRST))!r})) == 1\n"
        "assert not {'torch', 'datasets', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@needs_ewt
def test_english_ewt_dev() -> None:
    treebank = Treebank(EWT)
    assert len(treebank) == 2001
    assert sum(len(words) for words in column(treebank, "words")) == 25_147
    assert len(dependency_sentences(treebank)) == 2001
    assert len({row["sent_id"] for row in treebank}) == 2001
    assert len({row["document"] for row in treebank}) == 318
    # The same count, without parsing: lines whose id is a whole number.
    ids = [line.text.split("\t")[0] for line in read_lines(EWT)]
    assert sum(number.isdigit() for number in ids) == 25_147
    unpunctuated = Treebank(EWT, keep_punct=False)
    assert len(dependency_sentences(unpunctuated)) == 2001
    gone = sum(deprel == "punct" for row in treebank for deprel in row["deprels"])
    assert sum(len(row["words"]) for row in unpunctuated) == 25_147 - gone


@needs_ewt
def test_forms_and_spaces_make_the_text_of_english_ewt_dev(tmp_path: Path) -> None:
    file = tmp_path / "without_text.conllu"
    lines = (line.text for line in read_lines(EWT) if not line.text.startswith("# text = "))
    file.write_text("\n".join(lines), encoding="utf-8")
    assert column(Treebank(file), "text") == column(Treebank(EWT), "text")


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        (["1-2", "1-2"], "2: multiword range 1-2 overlaps the one of line 1, which goes to word 2"),
        (["1-3", "2-3"], "3: multiword range 2-3 overlaps the one of line 1, which goes to word 3"),
        (["1-2", "2-4"], "3: multiword range 2-4 overlaps the one of line 1, which goes to word 2"),
        (["2-3"], "1: multiword range 2-3 where word 1 is next"),
        (["3-4"], "3: a multiword range to 4 in 3 words"),
    ],
)
def test_ranges_that_overlap_or_do_not_fit(ranges: list[str], told: str, tmp_path: Path) -> None:
    """Each range stands before the word that it begins with, the way a file has it."""
    words = [node(n, f"w{n}", 0 if n == 1 else 1) for n in (1, 2, 3)]
    lines: list[str] = []
    for number, word in enumerate(words, start=1):
        for name in ranges:
            start = 1 if told.endswith("1 is next") else int(name.split("-")[0])
            if start == number:
                lines.append("\t".join([name, "x", *"________"]))
        lines.append(word)
    with pytest.raises(UserError) as caught:
        Treebank(write(tmp_path, lines))
    assert f"trees.conllu:{told}" in str(caught.value)


def test_ranges_side_by_side_fit(tmp_path: Path) -> None:
    words = [node(n, f"w{n}", 0 if n == 1 else 1) for n in range(1, 5)]
    for number, name in ((2, "3-4"), (0, "1-2")):
        words.insert(number, "\t".join([name, "x", *"________"]))
    assert Treebank(write(tmp_path, words))[0]["text"] == "x x"


@pytest.mark.parametrize(
    "wrong",
    [
        [node(1, "a", 2)],
        [node(1, "a", 0), node(3, "b", 1)],
        ["1\tno columns"],
        ["# a comment alone"],
        [node(1, "a", 0), node(2, "b", 3), node(3, "c", 2)],
        [node(1, "a", 0).replace("\t0\t", f"\t{'9' * 5_000}\t")],
        [node(1, "\udce9", 0)],  # written as the byte 0xe9, which is no UTF-8
    ],
)
def test_a_sentence_with_a_wrong_line_is_left_out_whole_and_counted(
    wrong: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "trees.conllu"
    text = "\n\n".join("\n".join(block) for block in (FIRST, wrong, SECOND, wrong))
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UserError, match=r"trees\.conllu:\d+: .*skip_bad_lines=True"):
        Treebank(file)
    treebank = Treebank(file, skip_bad_lines=True)
    assert list(treebank) == list(Treebank(write(tmp_path, FIRST, SECOND)))
    assert treebank.bad.count == 2
    assert "2 bad lines were left out, the first: " in repr(treebank)


def test_a_file_of_nothing_but_wrong_sentences_says_what_is_wrong(tmp_path: Path) -> None:
    file = write(tmp_path, [node(1, "a", 2)])
    with pytest.raises(UserError, match=r"no sentence: .* \(1 bad line was left out, the first: "):
        Treebank(file, skip_bad_lines=True)


def test_a_long_chain_of_heads_takes_no_longer_than_it_has_words(tmp_path: Path) -> None:
    """By the square of its length this took minutes."""
    count = 60_000
    words = [node(n, "w", n + 1 if n < count else 0) for n in range(1, count + 1)]
    assert len(Treebank(write(tmp_path, words))[0]["words"]) == count

"""Documents are held out whole, by their names."""

from __future__ import annotations

import pytest

from hf_grok.errors import UserError
from hf_grok.recipes.corpus.documents import check_apart, held_out_documents
from hf_grok.recipes.corpus.load import rows_of_an_epoch

WORDS = {f"book:{number}": 10 * number for number in range(1, 30)}


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9])
def test_as_many_documents_as_fit_into_a_share_of_the_words(share: float) -> None:
    held_out = held_out_documents(WORDS, share, 0)
    room = share * sum(WORDS.values()) - sum(WORDS[name] for name in held_out)
    assert room >= 0
    assert all(WORDS[name] > room for name in WORDS if name not in held_out)
    assert held_out == held_out_documents(dict(reversed(WORDS.items())), share, 0)
    assert held_out != held_out_documents(WORDS, share, 1)


def test_one_document_stays_on_either_side() -> None:
    assert held_out_documents({"a": 1000, "b": 2000}, 0.001, 0) == {"a"}
    assert len(held_out_documents({"a": 1, "b": 1000}, 0.9999, 0)) == 1
    with pytest.raises(UserError, match=r"one document \(a\).*--validation_data"):
        held_out_documents({"a": 1}, 0.1, 0)
    for share in (0.0, 1.0):
        with pytest.raises(UserError, match="expected more than 0 and less than 1"):
            held_out_documents(WORDS, share, 0)


def test_documents_on_both_sides_are_refused() -> None:
    check_apart(["a"], ["b"])
    with pytest.raises(
        UserError, match=r"2 documents are in --data and in --validation_data \(a, b\)"
    ):
        check_apart(["b", "a", "c"], ["a", "b"])


def test_a_weight_is_how_often_rows_are_read() -> None:
    import numpy as np

    source = np.array([0] * 4 + [1] * 6)
    chosen = rows_of_an_epoch(source, [2.0, 0.5]).tolist()
    assert [chosen.count(row) for row in range(4)] == [2] * 4
    assert sum(row >= 4 for row in chosen) == 3
    assert max(map(chosen.count, range(4, 10))) == 1
    assert rows_of_an_epoch(source, [1.0, 1.0]).tolist() == list(range(10))
    with pytest.raises(UserError, match="leave no row to read"):
        rows_of_an_epoch(np.array([0, 0]), [0.1])

"""R against its definition, arc by arc: values, gradients, fractions of a batch, and its edges."""

from __future__ import annotations

import itertools

import pytest
import torch

from hf_grok.errors import UserError
from hf_grok.sas.batches.keys import HEADS, SHAM_HEADS, WORD_OF
from hf_grok.sas.batches.pairs import arc_pairs
from hf_grok.sas.options import CLAMPED, PenaltyOptions
from hf_grok.sas.regulariser import batch_arcs, clamped, penalty_share
from tests.sas.material import GOLD, SHAM, WORDS, annotation, maps, penalty_by_definition

FORMS = [
    PenaltyOptions(reduction=reduction, power=power, directions=directions, alignment=alignment)
    for (reduction, power), directions, alignment in itertools.product(
        (("max", 1.0), ("sum", 1.0), ("sum", 3.0)),
        ("both", "head", "children"),
        ("aggregate", "first"),
    )
] + [
    PenaltyOptions(layers=(1,), heads=((None, 0), (1, 2))),
    PenaltyOptions(relations=("det", "obj")),
    PenaltyOptions(relations=("no_such_relation",)),
]


@pytest.mark.parametrize("word_level", [False, True], ids=["tokens", "words"])
@pytest.mark.parametrize("options", FORMS, ids=str)
def test_r_and_its_gradient_are_those_of_the_definition(
    options: PenaltyOptions, word_level: bool
) -> None:
    given = annotation(word_level=word_level)
    fast, slow = (maps(2, 3, given[WORD_OF].shape[1]) for _ in range(2))
    arcs = batch_arcs(given, options)
    found = penalty_share(fast, arcs, arcs.counts, options)
    total, count, _ = penalty_by_definition(slow, given[WORD_OF].tolist(), GOLD, options)
    assert arcs.counts[0] == count
    torch.testing.assert_close(found, total / max(count, 1))
    if not count:
        assert found == 0
        return
    found.backward()
    (total / count).backward()
    for layer, reference in zip(fast, slow, strict=True):
        expected = torch.zeros_like(layer) if reference.grad is None else reference.grad
        actual = torch.zeros_like(layer) if layer.grad is None else layer.grad
        torch.testing.assert_close(actual, expected)


@pytest.mark.parametrize("normalisation", ["arc", "token", "sum"])
@pytest.mark.parametrize("arcs", ["syntactic", "sham", "contrast"])
def test_what_counts_and_what_it_is_divided_by(arcs: str, normalisation: str) -> None:
    options = PenaltyOptions(arcs=arcs, normalisation=normalisation)
    given, read = annotation(), maps(2, 3, 9)
    found = batch_arcs(given, options)
    expected = torch.zeros(())
    for heads, sign in ((GOLD, 1), (SHAM, -1)):
        name = "syntactic" if heads is GOLD else "sham"
        if arcs in (name, "contrast"):
            total, count, tokens = penalty_by_definition(
                read, given[WORD_OF].tolist(), heads, options
            )
            divisor = {"arc": count, "token": tokens, "sum": 1}[normalisation]
            expected = expected + total / divisor * (sign if arcs == "contrast" else 1)
    torch.testing.assert_close(penalty_share(read, found, found.counts, options), expected)


@pytest.mark.parametrize("arcs", ["syntactic", "contrast"])
@pytest.mark.parametrize("normalisation", ["arc", "token", "sum"])
def test_the_shares_of_micro_batches_add_up_to_the_whole(arcs: str, normalisation: str) -> None:
    options = PenaltyOptions(arcs=arcs, normalisation=normalisation)
    given, read = annotation(), maps(2, 3, 9)
    whole = batch_arcs(given, options)
    parts = [{name: given[name][row : row + 1] for name in given} for row in range(2)]
    shares = [
        penalty_share(
            [m[row : row + 1] for m in read], batch_arcs(part, options), whole.counts, options
        )
        for row, part in enumerate(parts)
    ]
    torch.testing.assert_close(sum(shares), penalty_share(read, whole, whole.counts, options))


@pytest.mark.parametrize("swapped", [False, True], ids=["one way round", "the other"])
def test_the_clamped_contrast_is_clamped_where_the_whole_batch_is(swapped: bool) -> None:
    # The definition: both R, arc by arc, over all rows. Each row is a process of its own here.
    options = PenaltyOptions(arcs=CLAMPED, directions="head")
    given, fast, slow = annotation(), maps(2, 3, 9), maps(2, 3, 9)
    heads = [GOLD, SHAM]
    if swapped:
        given[HEADS], given[SHAM_HEADS], heads = given[SHAM_HEADS], given[HEADS], [SHAM, GOLD]
    definition = [penalty_by_definition(slow, WORDS, each, options)[:2] for each in heads]
    difference = definition[0][0] / definition[0][1] - definition[1][0] / definition[1][1]
    expected = torch.clamp(difference, min=0)
    expected.backward()
    counts = batch_arcs(given, options).counts
    shares = [
        penalty_share(
            [layer[row : row + 1] for layer in fast],
            batch_arcs({name: given[name][row : row + 1] for name in given}, options),
            counts,
            options,
        )
        for row in range(2)
    ]
    found = sum(clamped(share, lambda _: sum(shares).detach()) for share in shares)
    assert (difference > 0) == (not swapped)
    assert min(shares) < 0 < max(shares)
    torch.testing.assert_close(found, expected)
    found.backward()
    for layer, reference in zip(fast, slow, strict=True):
        torch.testing.assert_close(layer.grad, reference.grad)


def test_maps_and_attention_read_at_the_pairs_give_the_same() -> None:
    options = PenaltyOptions(arcs="contrast")
    read, arcs = maps(2, 3, 9), batch_arcs(annotation(), options)
    rows, columns = arcs.places.clamp(min=0).unbind(-1)
    batch = torch.arange(2)[:, None]
    at_pairs = [
        layer[batch, :, rows, columns].transpose(1, 2) * (arcs.places[..., 0] >= 0)[:, None]
        for layer in read
    ]
    whole = penalty_share(read, arcs, arcs.counts, options)
    torch.testing.assert_close(penalty_share(at_pairs, arcs, arcs.counts, options), whole)


def test_r_lies_between_0_and_2_where_attention_is_all_on_arcs() -> None:
    given = annotation(word_level=True)
    uniform = [torch.zeros(2, 1, 6, 6), torch.ones(2, 1, 6, 6)]
    arcs = batch_arcs(given, PenaltyOptions())
    assert penalty_share(uniform, arcs, arcs.counts, PenaltyOptions()) == 2
    assert penalty_share(uniform[:1], arcs, arcs.counts, PenaltyOptions()) == 0


def test_a_batch_without_an_arc_has_a_penalty_of_0_and_finite_gradients() -> None:
    for reduction, power in (("max", 1.0), ("sum", 2.0)):
        options = PenaltyOptions(reduction=reduction, power=power)
        given, read = annotation(), maps(2, 3, 9)
        given[HEADS] = torch.full_like(given[HEADS], -1)
        arcs = batch_arcs(given, options)
        found = penalty_share(read, arcs, arcs.counts, options)
        found.backward()
        assert found == 0
        assert all(layer.grad is None or not layer.grad.any() for layer in read)


def test_padding_is_cut_to_the_fullest_row() -> None:
    pairs = arc_pairs(annotation(), PenaltyOptions())[0]
    real = pairs.places[..., 0] >= 0
    assert real.sum(1).max() == pairs.places.shape[1]


@pytest.mark.parametrize(
    ("missing", "way_out"), [(HEADS, "ArcCollator"), (SHAM_HEADS, "sham=True")]
)
def test_a_batch_without_annotation_is_refused(missing: str, way_out: str) -> None:
    given = annotation()
    del given[missing]
    with pytest.raises(UserError, match=missing) as caught:
        arc_pairs(given, PenaltyOptions(arcs="contrast"))
    assert way_out in str(caught.value)

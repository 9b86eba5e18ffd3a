"""A word-level tokenizer that AutoTokenizer loads without this package."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from hf_grok.errors import UserError

PAD, START, END, UNKNOWN = SPECIAL_TOKENS = ("<pad>", "<s>", "</s>", "<unk>")
MASK = "<mask>"


def word_level_tokenizer(
    vocabulary: Iterable[str], *, append_end: bool = False, mask: bool = False
) -> PreTrainedTokenizerFast:
    """One id a word: `<pad>` 0, `<s>` 1, `</s>` 2, `<unk>` 3, then the vocabulary, sorted.

    With a mask token, `<mask>` is 4, before the vocabulary.

    A text is split at white space and nowhere else, so "doesn't", "." and "(3" are one token each;
    `<s>` is put in front. Decoding joins the words with single spaces. Padding is on the right.

    Args:
        vocabulary: the words; repeated words count once.
        append_end: whether `</s>` follows the text (Dyck, whose END is a symbol of the automaton;
            a masked model, which reads both ends of a sentence).
        mask: whether there is a mask token; `<s>` and `</s>` are then also the cls and sep tokens
            that code for masked models asks for.

    Returns:
        A tokenizer whose `save_pretrained` writes a plain tokenizer.json.

    Raises:
        UserError: no word at all; a word that is empty, has white space in it, or has a special
            token in it.
    """
    special = (*SPECIAL_TOKENS, MASK) if mask else SPECIAL_TOKENS
    words = _require_words(vocabulary, special)
    numbered = {word: number for number, word in enumerate([*special, *words])}
    roles = {"mask_token": MASK, "cls_token": START, "sep_token": END} if mask else {}
    tokenizer = Tokenizer(WordLevel(numbered, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = _template(numbered, append_end)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        unk_token=UNKNOWN,
        padding_side="right",
        # The default tidies " ." into ".", which is another sentence here.
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        **roles,
    )


def _template(numbered: dict[str, int], append_end: bool) -> TemplateProcessing:
    end = f" {END}" if append_end else ""
    return TemplateProcessing(
        single=f"{START} $A{end}",
        pair=f"{START} $A $B{end}",
        special_tokens=[(token, numbered[token]) for token in (START, END)],
    )


def _require_words(vocabulary: Iterable[str], special: Sequence[str]) -> list[str]:
    if isinstance(vocabulary, str):
        raise UserError(f"vocabulary={vocabulary!r}: expected words, not one string. Split it.")
    words = sorted(set(vocabulary))
    if not words:
        raise UserError("the vocabulary is empty: expected at least one word.")
    for word in words:
        _require_word(word, special)
    return words


def _require_word(word: str, special: Sequence[str]) -> None:
    if word.split() != [word]:
        raise UserError(
            f"vocabulary word {word!r}: expected one word without white space, because texts are "
            "split there and it would never be found. Split the text before collecting its words."
        )
    for token in special:
        if token in word:
            raise UserError(
                f"vocabulary word {word!r} contains the special token {token}: expected words "
                f"free of {', '.join(special)}, which the tokenizer adds itself."
            )

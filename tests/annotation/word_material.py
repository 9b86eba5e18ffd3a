"""Small sentences and tokenizers for the probes of weights, gradients, vectors and losses."""

from __future__ import annotations

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from hf_grok.models import word_level_tokenizer

WORDS = ["ape", "bear", "cat", "dog", "eel", "fox", "goat", "hen", "ibis", "jay", "kite", "lynx"]
# Of every length from 2 to 12, so that batches are ragged; in no order of length.
LENGTHS = (4, 12, 2, 7, 9, 3, 5, 8, 11, 6, 10)
TEXTS = [" ".join(WORDS[12 - length :]) for length in LENGTHS]


def masking_tokenizer(*, append_end: bool = False) -> PreTrainedTokenizerFast:
    """One token a word, and a mask token."""
    tokenizer = word_level_tokenizer(WORDS, append_end=append_end)
    tokenizer.add_special_tokens({"mask_token": "<mask>"})
    return tokenizer


def subword_tokenizer() -> PreTrainedTokenizerFast:
    """WordPiece, two letters a subword: words have one to three of them; [CLS] and [SEP]."""
    special = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"]
    starts = sorted({word[:2] for word in WORDS})
    rests = sorted({f"##{word[at : at + 2]}" for word in WORDS for at in (2, 4) if word[at:]})
    vocabulary = {subword: number for number, subword in enumerate([*special, *starts, *rests])}
    tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    names = ("pad", "cls", "sep", "unk", "mask")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **{f"{name}_token": token for name, token in zip(names, special, strict=True)},
    )

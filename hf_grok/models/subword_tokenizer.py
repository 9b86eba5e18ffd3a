"""Subword tokenizers trained on a corpus, saved as plain files that AutoTokenizer loads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tokenizers import Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import BPE, WordPiece
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer, WordPieceTrainer
from transformers import PreTrainedTokenizerFast

from hf_grok.errors import UserError, unknown_name

WORDPIECE, BYTE_LEVEL_BPE = KINDS = ("wordpiece", "byte-level-bpe")
PAD, UNKNOWN, START, END, MASK = SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_BYTES = 256


def train_tokenizer(
    sentences: Iterable[Sequence[str]],
    kind: str = WORDPIECE,
    *,
    size: int = 8000,
    lowercase: bool = True,
    masked: bool = True,
) -> PreTrainedTokenizerFast:
    """WordPiece as BERT's, or BPE over bytes as GPT-2's, learnt from sentences.

    Nothing is drawn at random: the same sentences give the same tokenizer. `[PAD]` is 0, then
    `[UNK]`, `[CLS]`, `[SEP]` and, for a masked model, `[MASK]`. A masked model's text stands
    between `[CLS]` and `[SEP]`; a causal model's begins with `[CLS]`, which is its bos token too.

    Args:
        sentences: words of each; gone through once.
        kind: "wordpiece" (split at white space and punctuation), or "byte-level-bpe" (every text
            can be written; a space belongs to the word behind it).
        size: tokens, special ones included; fewer where the sentences do not give so many.
        lowercase: write letters small and without accents, as BERT uncased; WordPiece only.
        masked: whether a masked language model reads it.

    Raises:
        UserError: an unknown kind, no room for letters, or no sentence.

    Source: Schuster and Nakajima 2012 (WordPiece; `tokenizers` merges by frequency); Sennrich et
    al. 2016 and Radford et al. 2019 (byte-level BPE).
    """
    if kind not in KINDS:
        raise unknown_name("tokenizer", kind, KINDS)
    special = list(SPECIAL if masked else SPECIAL[:-1])
    least = len(special) + _BYTES
    if size < least:
        raise UserError(f"a tokenizer of {size} tokens: expected {least} at least")
    tokenizer = _wordpiece(lowercase) if kind == WORDPIECE else _byte_level()
    # Byte-level BPE writes every text, so its initial alphabet is all bytes.
    trainer = (
        WordPieceTrainer(vocab_size=size, special_tokens=special, show_progress=False)
        if kind == WORDPIECE
        else BpeTrainer(
            vocab_size=size,
            special_tokens=special,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
    )
    counted = _Counted(sentences)
    tokenizer.train_from_iterator(counted.texts(), trainer)
    if not counted.sentences:
        raise UserError("there are no sentences to train a tokenizer on: expected one at least")
    return _wrapped(tokenizer, masked=masked)


class _Counted:
    """Sentences as running texts, counted as they pass."""

    def __init__(self, sentences: Iterable[Sequence[str]]) -> None:
        self._given, self.sentences = sentences, 0

    def texts(self) -> Iterable[str]:
        for words in self._given:
            self.sentences += 1
            yield " ".join(words)


def _wordpiece(lowercase: bool) -> Tokenizer:
    tokenizer = Tokenizer(WordPiece(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=lowercase, strip_accents=lowercase, handle_chinese_chars=True, clean_text=True
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece(cleanup=False)
    return tokenizer


def _byte_level() -> Tokenizer:
    tokenizer = Tokenizer(BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _wrapped(tokenizer: Tokenizer, *, masked: bool) -> PreTrainedTokenizerFast:
    numbers = [(token, tokenizer.token_to_id(token)) for token in (START, END)]
    end = f" {END}" if masked else ""
    tokenizer.post_processor = TemplateProcessing(
        single=f"{START} $A{end}", pair=f"{START} $A {END} $B{end}", special_tokens=numbers
    )
    roles = {"mask_token": MASK} if masked else {}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNKNOWN,
        cls_token=START,
        sep_token=END,
        bos_token=START,
        eos_token=END,
        padding_side="right",
        clean_up_tokenization_spaces=False,
        model_input_names=["input_ids", "attention_mask"],
        **roles,
    )

"""What each architecture of the library gives the probes, from tiny random models.

    python benchmarks/architectures.py                   # every one that can be made tiny
    python benchmarks/architectures.py bloom llava t5    # these
    python benchmarks/architectures.py --markdown        # the table of docs/architectures.md

Sizes are set by the names that configurations use for them; a configuration that needs more than
that is in tests/models/other_architectures.py, or left out and counted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    PreTrainedModel,
    logging,
)
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_MASKED_LM_MAPPING_NAMES,
)

sys.path.insert(0, str(Path(__file__).parents[1]))

from hf_grok.attention.batched import register_batched_attention
from hf_grok.attention.facts import attention_facts, is_causal
from hf_grok.attention.proof import not_replaceable_because
from hf_grok.errors import UserError
from hf_grok.models import word_level_tokenizer
from hf_grok.models.positions import position_limit
from hf_grok.probes import Probe, build_probe
from tests.models.other_architectures import MADE, SIZES, made

WIDTHS = ("hidden_size", "n_embd", "d_model", "dim", "emb_dim", "embedding_size")
INNER = ("intermediate_size", "n_inner", "ffn_dim", "decoder_ffn_dim", "encoder_ffn_dim", "d_ff",
         "hidden_dim", "d_inner")  # fmt: skip
LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "decoder_layers",
          "encoder_layers")  # fmt: skip
HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads",
         "encoder_attention_heads", "attention_heads")  # fmt: skip
PLACES = ("max_position_embeddings", "n_positions", "n_ctx")
EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
TINY: dict[str, int] = {
    **dict.fromkeys(WIDTHS, 16), **dict.fromkeys(INNER, 32), **dict.fromkeys(LAYERS, 2),
    **dict.fromkeys(HEADS, 4), **dict.fromkeys(PLACES, 64), **dict.fromkeys(EXPERTS, 2),
    "num_experts_per_tok": 1, "moe_intermediate_size": 16, "num_key_value_heads": 2, "head_dim": 4,
    "vocab_size": SIZES["vocab_size"], "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
LARGEST = 3e7  # parameters
PROBES = ("uas", "sparsity", "tree", "intrinsic_dimension", "class_loss", "fisher", "pairs")
SENTENCES = ("the cat runs .", "the dog sees the cat .", "a cat hears a dog .", "cats run .")
HEADS_OF = ([2, 3, 0, 3], [2, 3, 0, 5, 3, 3], [2, 3, 0, 5, 3, 3], [2, 0, 2])
TAGS = {"the": "DET", "a": "DET", ".": "PUNCT", "runs": "VERB", "sees": "VERB", "hears": "VERB"}


class Row(NamedTuple):
    """A line of the table."""

    name: str
    facts: str
    positions: str
    training: str
    works: tuple[str, ...]
    refused: dict[str, str]


def main() -> None:
    """Print a line for each architecture, or the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of model types; default: all")
    parser.add_argument("--markdown", action="store_true", help="print the table of the docs")
    asked = parser.parse_args()
    logging.set_verbosity_error()
    torch.set_num_threads(1)
    left_out = 0
    if asked.markdown:
        print(HEADER)
    for name, make in models(asked.names):
        try:
            model = make()
        except Exception as error:  # whatever a configuration of one size does not go with
            left_out += 1
            print(f"{name}: cannot be made tiny: {_short(error)}", file=sys.stderr)
            continue
        row = row_of(name, model)
        print(as_markdown(row) if asked.markdown else row, flush=True)
    print(f"{left_out} left out", file=sys.stderr)


def models(names: list[str]) -> Iterator[tuple[str, Callable[[], PreTrainedModel]]]:
    """Every architecture, or the named ones, with what makes a tiny model of it."""
    known = {
        **dict.fromkeys(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES, AutoModelForCausalLM),
        **dict.fromkeys(MODEL_FOR_MASKED_LM_MAPPING_NAMES, AutoModelForMaskedLM),
    }
    for name in sorted({*known, *MADE}):
        if names and name not in names:
            continue
        if name in MADE:
            yield name, lambda name=name: made(name)
        else:
            yield name, lambda name=name: tiny(name, known[name])


def tiny(name: str, family: Any) -> PreTrainedModel:
    """A random model of a few thousand weights."""
    plain = AutoConfig.for_model(name)
    config = AutoConfig.for_model(name, **{k: v for k, v in TINY.items() if hasattr(plain, k)})
    with torch.device("meta"):
        size = sum(parameter.numel() for parameter in family.from_config(config).parameters())
    if size > LARGEST:
        raise ValueError(f"{size:,} parameters")
    torch.manual_seed(0)
    model: PreTrainedModel = family.from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


def row_of(name: str, model: PreTrainedModel) -> Row:
    """Everything that is tried on one model."""
    facts = attempt(lambda: attention_facts(model))
    causal = attempt(lambda: is_causal(model))
    shown = facts
    if not isinstance(facts, str):
        direction = "causal" if facts.causal else "both ways"
        shown = f"{direction}, {'its own code' if facts.reported else 'recorded'}"
    obstacle = attempt(lambda: not_replaceable_because(model, register_batched_attention()))
    works, refused = [], {}
    for probe in PROBES:
        fits = probe_of(probe, causal=causal is True)
        found = attempt(partial(fits.measure, model))
        if isinstance(found, dict) and found:
            works.append(probe)
        else:
            refused[probe] = str(found)
    positions = attempt(lambda: position_limit(model))
    return Row(
        name,
        str(shown),
        "any" if positions is None else str(positions),
        "batched" if obstacle is None else "the library's",
        tuple(works),
        refused,
    )


def attempt(what: Callable[[], Any]) -> Any:
    """The outcome, or the refusal; anything else that is raised ends the table."""
    try:
        return what()
    except UserError as error:
        return f"refused: {_short(error)}"


def probe_of(name: str, *, causal: bool) -> Probe:
    """A probe over a few sentences, with a tokenizer that fits the direction."""
    words = {word for sentence in SENTENCES for word in sentence.split()}
    ends = {} if causal else {"mask": True, "append_end": True}
    rows: list[dict[str, Any]] = [
        {
            "words": sentence.split(),
            "heads": heads,
            "deprels": ["root" if head == 0 else "dep" for head in heads],
            "upos": [TAGS.get(word, "NOUN") for word in sentence.split()],
        }
        for sentence, heads in zip(SENTENCES, HEADS_OF, strict=True)
    ] * 3
    if name == "pairs":
        good, bad = "the cat runs .", "the cats runs ."
        rows = [{"sentence_good": good, "sentence_bad": bad, "UID": "agreement"}]
    options = {"minimum_count": 1} if name == "uas" else {}
    return build_probe(name, rows, word_level_tokenizer(words, **ends), **options)


HEADER = """\
| architecture | attention | positions | trained on a CPU with | probes | refused, and why |
|---|---|---|---|---|---|"""


def as_markdown(row: Row) -> str:
    """A line of the table of the docs; probes refused for one reason stand together."""
    reasons: dict[str, list[str]] = {}
    for probe, why in row.refused.items():
        reasons.setdefault(why.removeprefix("refused: "), []).append(probe)
    refused = "; ".join(f"{', '.join(probes)}: {why}" for why, probes in reasons.items())
    works = "all" if len(row.works) == len(PROBES) else ", ".join(row.works) or "none"
    facts = "no maps" if row.facts.startswith("refused") else row.facts
    return f"| {row.name} | {facts} | {row.positions} | {row.training} | {works} | {refused} |"


def _short(error: Exception) -> str:
    return str(error).split(": expected", 1)[0].split(". Expected", 1)[0].replace("\n", " ")[:160]


if __name__ == "__main__":
    main()

"""The regulariser of syntactic attention structure (SAS): arcs, penalty, schedule, mixin.

Every name loads on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily

if TYPE_CHECKING:
    from hf_grok.annotation.sham import sham_heads
    from hf_grok.sas.arguments import SASArguments
    from hf_grok.sas.checks import LanguageModelDivergedError
    from hf_grok.sas.collator import ArcCollator
    from hf_grok.sas.encoding import encode_rows
    from hf_grok.sas.epoch_rows import EpochCallback, EpochRows
    from hf_grok.sas.masked_loss import token_mean_loss
    from hf_grok.sas.mixin import SASMixin
    from hf_grok.sas.packing import pack_rows
    from hf_grok.sas.schedule import LambdaSchedule

_HOMES = {
    "ArcCollator": "collator",
    "EpochCallback": "epoch_rows",
    "EpochRows": "epoch_rows",
    "encode_rows": "encoding",
    "LambdaSchedule": "schedule",
    "LanguageModelDivergedError": "checks",
    "SASArguments": "arguments",
    "SASMixin": "mixin",
    "pack_rows": "packing",
    "sham_heads": "sham",
    "token_mean_loss": "masked_loss",
}

__all__ = [
    "ArcCollator",
    "EpochCallback",
    "EpochRows",
    "LambdaSchedule",
    "LanguageModelDivergedError",
    "SASArguments",
    "SASMixin",
    "encode_rows",
    "pack_rows",
    "sham_heads",
    "token_mean_loss",
]

__getattr__, __dir__ = lazily(__name__, _HOMES)

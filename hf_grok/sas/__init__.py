"""The regulariser of syntactic attention structure (SAS): arcs, penalty, schedule, mixin.

Every name loads on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hf_grok._lazy import lazily

if TYPE_CHECKING:
    from hf_grok.annotation.sham import sham_heads
    from hf_grok.sas.arguments import SASArguments
    from hf_grok.sas.batches.collator import ArcCollator
    from hf_grok.sas.batches.encoding import encode_rows
    from hf_grok.sas.batches.epoch_rows import EpochCallback, EpochRows
    from hf_grok.sas.batches.packing import pack_rows
    from hf_grok.sas.checks import LanguageModelDivergedError
    from hf_grok.sas.losses.masked import token_mean_loss
    from hf_grok.sas.mixin import SASMixin
    from hf_grok.sas.schedule import LambdaSchedule

_HOMES = {
    "ArcCollator": "batches.collator",
    "EpochCallback": "batches.epoch_rows",
    "EpochRows": "batches.epoch_rows",
    "encode_rows": "batches.encoding",
    "LambdaSchedule": "schedule",
    "LanguageModelDivergedError": "checks",
    "SASArguments": "arguments",
    "SASMixin": "mixin",
    "pack_rows": "batches.packing",
    "sham_heads": ".annotation.sham",
    "token_mean_loss": "losses.masked",
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

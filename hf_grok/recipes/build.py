"""From settings to the model and the trainer of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huggingface_hub.errors import StrictDataclassError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    PretrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    ProgressCallback,
    set_seed,
)

import hf_grok.models  # noqa: F401  (registers vanilla_transformer with the Auto classes)
from hf_grok.callbacks import (
    AccuracyProgressCallback,
    CheckpointSeriesCallback,
    LogSpacedCallback,
    ProbeCallback,
    RunTableCallback,
    StopAfterCrossingCallback,
)
from hf_grok.callbacks.dashboard import bring_dashboards
from hf_grok.errors import UserError
from hf_grok.metrics import GENERALIZATION
from hf_grok.models.positions import position_limit
from hf_grok.recipes.architecture import check_options, plain_config, sizes
from hf_grok.recipes.arguments import ModelArguments
from hf_grok.recipes.data.language import LanguageData
from hf_grok.recipes.objective import is_masked
from hf_grok.recipes.probes import recipe_probes
from hf_grok.recipes.recipe import Settings
from hf_grok.recipes.trainer.attention import set_attention
from hf_grok.recipes.trainer.hardware import choose_dropout_masks
from hf_grok.recipes.trainer.pooled_dropout import MaskPoolCallback, MaskPools, pool_dropout
from hf_grok.recipes.trainer.trainer import GrokTrainer
from hf_grok.runs.record import RunRecord
from hf_grok.runs.schedule import in_steps
from hf_grok.sas.losses.masked import token_mean_loss
from hf_grok.text.json_reading import read_options

GENERALIZED = 0.95


def build_config(arguments: ModelArguments, tokenizer: PreTrainedTokenizerBase) -> PretrainedConfig:
    """The model's configuration: sizes from `arguments`, vocabulary from the tokenizer.

    Raises:
        UserError: an unknown model type, an option its configuration does not have, or a value it
            refuses.
    """
    plain = plain_config(arguments.model)
    options: dict[str, Any] = {
        **sizes(plain, arguments.layers, arguments.hidden_size, arguments.heads),
        **read_options("model_options", arguments.model_options),
    }
    check_options(plain, options)
    try:
        return AutoConfig.for_model(
            arguments.model,
            **options,
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            **_masked_roles(plain, tokenizer),
        )
    except (ValueError, TypeError, StrictDataclassError) as error:
        raise UserError(f"{arguments.model}: {' '.join(str(error).split())}") from error


def _masked_roles(config: PretrainedConfig, tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """The special tokens that only masked models know, as far as `config` names them."""
    if tokenizer.mask_token_id is None:
        return {}
    names = ("cls_token_id", "sep_token_id", "mask_token_id")
    return {name: getattr(tokenizer, name) for name in names if hasattr(config, name)}


def build_model(settings: Settings, language: LanguageData) -> PreTrainedModel:
    """A freshly initialised model, its weights a function of the seed alone."""
    config = build_config(settings.model, language.tokenizer)
    device = settings.training.device
    set_seed(settings.training.seed)
    masked = is_masked(settings.model.model)
    family = AutoModelForMaskedLM if masked else AutoModelForCausalLM
    model: PreTrainedModel = family.from_config(config)
    positions, longest = position_limit(model), int(language.train.lengths.max())
    if positions is not None and longest > positions:
        raise UserError(
            f"a training line has {longest} tokens and {settings.model.model} has {positions} "
            "positions: raise them with --model_options '{\"max_position_embeddings\": N}'"
        )
    set_attention(model, settings.model.attention, device)
    # GPT-2's class matches no loss of transformers: unset, its losses come out too small.
    model.loss_type = "ForMaskedLM" if masked else "ForCausalLM"
    return model


def build_trainer(settings: Settings, language: LanguageData, record: RunRecord) -> GrokTrainer:
    """The trainer of a run, with its schedule, table and progress bar."""
    training = settings.training
    model = build_model(settings, language)
    pools = None
    if choose_dropout_masks(settings.model.dropout_masks, training.device) == "pooled":
        pools = MaskPools(seed=training.seed, rank=training.process_index)
        pool_dropout(model, pools)
    trainer = GrokTrainer(
        model=model,
        args=training,
        train_dataset=language.train,
        processing_class=language.tokenizer,
        measures=language.measures,
        mask_pools=pools,
        # BERT's own loss is a mean over the micro-batch; Trainer takes it for the whole batch's.
        compute_loss_func=token_mean_loss if is_masked(settings.model.model) else None,
    )
    for callback in (PrinterCallback, ProgressCallback):
        trainer.remove_callback(callback)
    if pools is not None:
        trainer.add_callback(MaskPoolCallback(pools))
    bring_dashboards(trainer, settings.probes.probe_detail)
    trainer.add_callback(RunTableCallback(record))
    probes = list(language.probes)
    if language.test is not None:
        probes = recipe_probes(settings.probes, settings.data, language.test, language.tokenizer)
    if probes:
        trainer.add_callback(ProbeCallback(trainer, probes, every=settings.probes.probe_every))
    if training.stop_after:
        trainer.add_callback(
            StopAfterCrossingCallback(GENERALIZATION, GENERALIZED, training.stop_after)
        )
    if not training.disable_tqdm:
        trainer.add_callback(AccuracyProgressCallback())
    if training.series:
        trainer.add_callback(
            CheckpointSeriesCallback(
                training.series,
                revision=training.series_revision,
                seen=trainer.seen,
                private=not training.series_public,
                ship_code=training.series_ship_code,
            )
        )
    trainer.add_callback(
        LogSpacedCallback(
            trainer,
            in_steps(training.evaluations, trainer.seen, training.max_steps),
            in_steps(training.checkpoints, trainer.seen, training.max_steps),
        )
    )
    return trainer


def save_final_model(trainer: GrokTrainer, folder: Path) -> None:
    """The last weights, tokenizer and Trainer's state at the top of the run's folder.

    `use_cache` is put back: Trainer turns it off for training, and saved so, generation would be
    slow for whoever loads the model.
    """
    trainer.model.config.use_cache = True
    trainer.save_model(str(folder))
    trainer.save_state()

"""The regulariser in PEFT's models and other architectures, and what each loss is divided by."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from torch import nn
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertConfig,
    BertForMaskedLM,
    CLIPVisionConfig,
    LlamaConfig,
    LlamaForCausalLM,
    LlavaConfig,
    LlavaForConditionalGeneration,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
    Trainer,
    default_data_collator,
)
from transformers.modeling_outputs import CausalLMOutputWithPast

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.errors import UserError
from hf_grok.sas import SASMixin, token_mean_loss
from hf_grok.sas.options import PenaltyOptions
from hf_grok.sas.regulariser import batch_arcs, penalty_share
from tests.sas.by_hand import COLLATOR, TOKENIZER, encoded, llama, one_step, weights
from tests.sas.trainers import logged, rows

pytestmark = pytest.mark.filterwarnings(
    "ignore:.(is_)?gradient_checkpointing. is deprecated:FutureWarning"
)
SIZES: dict[str, Any] = {
    "vocab_size": len(TOKENIZER),
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
IN_PARTS = {"per_device_train_batch_size": 1, "gradient_accumulation_steps": 4}


def bert(**changes: Any) -> BertForMaskedLM:
    torch.manual_seed(0)
    dropout = {"attention_probs_dropout_prob": 0.0, "hidden_dropout_prob": 0.0}
    return BertForMaskedLM(BertConfig(**{**SIZES, **dropout, "initializer_range": 0.3, **changes}))


def adapted(model: PreTrainedModel, modules: list[str], task: str | None = None) -> nn.Module:
    torch.manual_seed(1)
    adapter = peft.LoraConfig(task_type=task, r=4, target_modules=modules, init_lora_weights=False)
    wrapped: nn.Module = peft.get_peft_model(model, adapter)
    return wrapped


class Delegating(LlamaForCausalLM):
    """A subclass whose own forward does not name the loss."""

    def forward(self, *args: Any, **named: Any) -> Any:
        return super().forward(*args, **named)


class Wrapper(nn.Module):
    """A model of one's own around one of the library."""

    def __init__(self, inner: PreTrainedModel) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, **named: Any) -> Any:
        return self.inner(**named)


class Auxiliary(LlamaForCausalLM):
    """Adds a mean over the micro-batch to its loss, as routers of experts do."""

    def forward(self, *args: Any, **named: Any) -> Any:
        output = super().forward(*args, **named)
        output.loss = output.loss + 0.3
        return output


def trained(folder: Path, model: nn.Module, *, masked: bool = False, **changes: Any) -> Any:
    given = {name: changes.pop(name) for name in ("compute_loss_func",) if name in changes}
    kind = changes.pop("kind", SASTrainer)
    trainer = kind(
        model=model,
        args=SASTrainingArguments(**one_step(folder, sas_schedule="0:3", **changes)),
        train_dataset=rows(4, masked=True) if masked else encoded(),
        data_collator=default_data_collator if masked else COLLATOR,
        **given,
    )
    trainer.train()
    return trainer


SOUND: dict[str, tuple[Callable[[], nn.Module], dict[str, Any]]] = {
    "causal": (lambda: adapted(llama(), ["q_proj", "v_proj"], "CAUSAL_LM"), {}),
    "causal, advised": (
        lambda: adapted(llama(), ["q_proj", "v_proj"], "CAUSAL_LM"),
        {"compute_loss_func": token_mean_loss},
    ),
    "masked": (
        lambda: adapted(bert(vocab_size=20), ["query", "value"]),
        {"compute_loss_func": token_mean_loss, "masked": True},
    ),
    "delegating": (lambda: llama(Delegating), {}),
    "wrapper": (lambda: Wrapper(llama()), {}),
}


@pytest.mark.parametrize("name", SOUND)
def test_a_batch_in_parts_is_the_same_batch(name: str, tmp_path: Path) -> None:
    make, settings = SOUND[name]
    whole = trained(tmp_path / "1", make(), **settings)
    parts = trained(tmp_path / "2", make(), **settings, **IN_PARTS)
    for key in ("loss", "lm_loss", "sas_penalty", "sas_arcs"):
        assert logged(parts, key) == pytest.approx(logged(whole, key), rel=2e-5), key
    before, expected = weights(make()), weights(whole.model)
    for parameter, value in weights(parts.model).items():
        torch.testing.assert_close(value, expected[parameter], rtol=1e-4, atol=1e-5)
    assert any(not torch.equal(value, before[each]) for each, value in expected.items())


def mean_of_a_micro_batch(outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
    return nn.functional.cross_entropy(
        outputs.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
    )


class Ignorant(Trainer):
    def compute_loss(self, model: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        return model(**inputs).loss


class RegularisedIgnorant(SASMixin, Ignorant):
    pass


class RegularisedAverage(RegularisedIgnorant):
    loss_is_scaled_for_ga = False


UNSOUND: dict[str, tuple[Callable[[], nn.Module], dict[str, Any], str]] = {
    "masked head": (lambda: bert(vocab_size=20), {"masked": True}, "the loss of BertForMaskedLM"),
    "masked head in PEFT": (
        lambda: adapted(bert(vocab_size=20), ["query"]),
        {"masked": True},
        "the loss of PeftModel",
    ),
    "function": (llama, {"compute_loss_func": mean_of_a_micro_batch}, "the loss of Llama"),
    "trainer": (llama, {"kind": RegularisedIgnorant}, "loss_is_scaled_for_ga"),
    "a part": (lambda: llama(Auxiliary), {}, r"\d+% of the loss of Auxiliary"),
}


@pytest.mark.parametrize("name", UNSOUND)
def test_a_loss_that_grows_with_its_parts_is_refused(name: str, tmp_path: Path) -> None:
    make, settings, message = UNSOUND[name]
    with pytest.raises(UserError, match=message):
        trained(tmp_path, make(), **settings, **IN_PARTS)
    trained(tmp_path, make(), **settings)  # in one part, there is nothing that grows


def test_a_mean_that_trainer_divides_is_sound(tmp_path: Path) -> None:
    trained(tmp_path, llama(), kind=RegularisedAverage, **IN_PARTS)


def test_asking_for_the_loss_twice_leaves_no_trace(tmp_path: Path) -> None:
    class Recording(Trainer):
        def compute_loss(self, *args: Any, **named: Any) -> Any:
            self.records["losses"].append(1)
            self.calls += 1
            return super().compute_loss(*args, **named)

    class Regularised(SASMixin, Recording):
        records: dict[str, list[int]]
        calls = 0

        def __init__(self, **named: Any) -> None:
            self.records, self.calls = {"losses": []}, 0
            super().__init__(**named)

    trainer = trained(tmp_path, llama(), kind=Regularised, **IN_PARTS)
    assert (len(trainer.records["losses"]), trainer.calls) == (4, 4)


def bart() -> BartForConditionalGeneration:
    torch.manual_seed(0)
    return BartForConditionalGeneration(
        BartConfig(
            vocab_size=len(TOKENIZER),
            d_model=16,
            encoder_layers=2,
            decoder_layers=1,
            encoder_attention_heads=4,
            decoder_attention_heads=4,
            encoder_ffn_dim=16,
            decoder_ffn_dim=16,
            dropout=0.0,
            init_std=0.3,
            pad_token_id=TOKENIZER.pad_token_id,
            decoder_start_token_id=2,
        )
    )


def llava() -> LlavaForConditionalGeneration:
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=8,
        patch_size=4,
    )
    text = LlamaConfig(**SIZES, initializer_range=0.3)
    return LlavaForConditionalGeneration(
        LlavaConfig(vision_config=vision, text_config=text, image_token_index=1)
    )


@pytest.mark.parametrize("way", ["eager", "batched", "fused"])
@pytest.mark.parametrize(("make", "maps"), [(bart, "encoder_attentions"), (llava, "attentions")])
def test_the_part_that_reads_the_words(
    make: Callable[[], PreTrainedModel], maps: str, way: str, tmp_path: Path
) -> None:
    batch, options = COLLATOR(list(encoded())), PenaltyOptions()
    reference = make()
    reference.set_attn_implementation("eager")
    seen = {name: batch[name] for name in ("input_ids", "attention_mask", "labels")}
    attentions = reference(**seen, output_attentions=True)[maps]
    arcs = batch_arcs(batch, options)
    expected = float(penalty_share(attentions, arcs, arcs.counts, options).detach())
    trainer = trained(tmp_path, make(), sas_implementation=way)
    assert logged(trainer, "sas_penalty") == pytest.approx([expected], rel=1e-5)


def test_outputs_as_a_tuple(tmp_path: Path) -> None:
    model = bert(return_dict=False, vocab_size=20)
    as_tuple = trained(tmp_path / "1", model, masked=True)
    as_mapping = trained(tmp_path / "2", bert(vocab_size=20), masked=True)
    assert logged(as_tuple, "sas_penalty") == logged(as_mapping, "sas_penalty")


def prompted() -> nn.Module:
    prompt = peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=3)
    wrapped: nn.Module = peft.get_peft_model(llama(), prompt)
    return wrapped.requires_grad_(True)


class NoLanguageModel(nn.Module):
    def forward(self, input_ids: torch.Tensor, **_: Any) -> Any:
        return CausalLMOutputWithPast(logits=input_ids)


def mamba() -> MambaForCausalLM:
    return MambaForCausalLM(
        MambaConfig(vocab_size=len(TOKENIZER), hidden_size=16, num_hidden_layers=2, state_size=4)
    )


@pytest.mark.parametrize(
    ("make", "settings", "message"),
    [
        (mamba, {}, "MambaModel.*0 of its 2 layers"),
        (mamba, {"sas_implementation": "eager"}, "no attention in it to regularise"),
        (prompted, {}, r"given \(4, 11\).*prompt or prefix tuning"),
        (NoLanguageModel, {}, r"holds 0 models of transformers"),
        (
            lambda: bert(attention_probs_dropout_prob=0.2),
            {"sas_implementation": "eager"},
            "dropout of 0.2 has left",
        ),
    ],
    ids=["mamba", "mamba, eager", "prompt tuning", "no model", "dropout"],
)
def test_what_cannot_be_regularised_is_told_before_the_first_step(
    make: Callable[[], nn.Module], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=message):
        trained(tmp_path, make(), **settings)


def test_a_dropout_that_no_config_names_is_found_in_the_maps(tmp_path: Path) -> None:
    model = bert()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.3
    with pytest.raises(UserError, match="a dropout has left of it"):
        trained(tmp_path, model, sas_implementation="eager")

"""Both arc attentions against the maps of eager attention, through whole models."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    AttentionInterface,
    BertConfig,
    BertForMaskedLM,
    GPT2Config,
    PretrainedConfig,
    PreTrainedModel,
    T5Config,
    T5EncoderModel,
)

from hf_grok.attention.arcs import BATCHED, FUSED, register_arc_attentions
from hf_grok.attention.batched import register_batched_attention
from hf_grok.attention.pairs import gather_pairs
from hf_grok.errors import UserError
from hf_grok.sas.attention.choice import (
    EAGER,
    SHORT,
    arc_attention_for,
    attention_dropout_of,
    not_fused_because,
)
from hf_grok.sas.attention.switch import set_arc_attention
from tests.probes.matrix import ARCHITECTURES, CAUSAL, HEADS, LAYERS, config_of, model_of

CPU = torch.device("cpu")
TOKENS, PAIRS = 9, 14


def batch_of(padding: str) -> dict[str, Tensor]:
    torch.manual_seed(1)
    ids = torch.randint(4, 40, (2, TOKENS))
    mask, first, last = torch.ones_like(ids), 0, TOKENS
    if padding == "left":
        mask[0, :3], first = 0, 3
    elif padding == "right":
        mask[0, 6:], last = 0, 6
    pairs = torch.randint(0, TOKENS, (2, PAIRS, 2))
    pairs[0].clamp_(first, last - 1)
    pairs[:, 1] = pairs[:, 0]  # twice the same
    pairs[:, 2:5, 0] = 5  # several of one row
    pairs[:, 5] = torch.tensor([4, 5])  # the future, to a causal model
    pairs[:, -2:] = -1
    labels = ids.masked_fill(mask == 0, -100)
    if padding == "left":
        labels[0, 3] = -100  # predicted from padding that sees nothing, unlike in every attention
    return {"input_ids": ids, "attention_mask": mask, "labels": labels, "pairs": pairs}


def answer(model: nn.Module, batch: dict[str, Tensor], **given: bool) -> tuple[Tensor, Tensor]:
    """Loss, and the attention on pairs: [layers, batch, heads, pairs]."""
    inputs = {name: tensor for name, tensor in batch.items() if name != "pairs"}
    kind = model.config._attn_implementation
    if kind == EAGER:
        output = model(**inputs, output_attentions=True)
        return output.loss, torch.stack(
            [gather_pairs(one, batch["pairs"]) for one in output.attentions]
        )
    output = model(**inputs, output_attentions=True, sas_pairs=batch["pairs"], **given)
    return output.loss, torch.stack(output.attentions)


def gradients(model: nn.Module, loss: Tensor, alpha: Tensor) -> dict[str, Tensor]:
    """Of the loss and of a penalty that weighs every layer, head and pair differently."""
    model.zero_grad()
    weights = torch.linspace(-1, 2, alpha.numel()).view_as(alpha)
    (loss + (weights * alpha).sum()).backward()
    return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


def without_dropout(name: str) -> PreTrainedModel:
    """A tiny model in training mode, every dropout at 0; GPT-2's loss named for what it is."""
    model = model_of(name).train()
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
        if isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = 0.0
    if name in CAUSAL:
        model.loss_type = "ForCausalLM"
    model.config.use_cache = False
    return model


@pytest.mark.parametrize("implementation", [FUSED, BATCHED])
@pytest.mark.parametrize("padding", ["none", "left", "right"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_equal_to_eager(name: str, padding: str, implementation: str) -> None:
    model, batch = without_dropout(name), batch_of(padding)
    set_arc_attention(model, EAGER)
    expected = answer(model, batch)
    expected_gradients = gradients(model, *expected)
    set_arc_attention(model, implementation)
    actual = answer(model, batch)
    assert actual[1].shape == (LAYERS, 2, HEADS, PAIRS)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)
    actual_gradients = gradients(model, *actual)
    torch.testing.assert_close(actual_gradients, expected_gradients, rtol=1e-4, atol=1e-5)
    assert (actual[1][..., -2:] == 0).all()
    assert (actual[1][..., 5] == 0).all() == (name in CAUSAL)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_without_pairs_nothing_differs(name: str) -> None:
    register_arc_attentions()
    model, batch = model_of(name), batch_of("left")
    batch.pop("pairs")
    for arcs, plain in ((FUSED, "sdpa"), (BATCHED, register_batched_attention())):
        model.set_attn_implementation(plain)
        expected = model(**batch).logits
        model.set_attn_implementation(arcs)
        assert torch.equal(model(**batch).logits, expected)


@pytest.mark.parametrize("implementation", [FUSED, BATCHED])
def test_a_batch_without_pairs(implementation: str) -> None:
    model, batch = without_dropout("llama"), batch_of("none")
    set_arc_attention(model, implementation)
    batch["pairs"] = batch["pairs"][:, :0]
    loss, alpha = answer(model, batch)
    assert alpha.shape == (LAYERS, 2, HEADS, 0)
    assert all(one.isfinite().all() for one in gradients(model, loss, alpha).values())


@pytest.mark.parametrize("name", ["bert", "llama"])
def test_checkpointed_activations(name: str) -> None:
    model, batch = without_dropout(name), batch_of("right")
    set_arc_attention(model, FUSED)
    expected = gradients(model, *answer(model, batch))
    # The newer of two names, where the library has it: the older one warns there.
    newer = getattr(model, "activation_checkpointing_enable", None)
    (newer or model.gradient_checkpointing_enable)()
    actual = gradients(model, *answer(model, batch))
    torch.testing.assert_close(actual, expected, rtol=0, atol=0)


# torch.compile makes an instance of Function to trace one, and warns of it itself.
@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")
@pytest.mark.parametrize("name", ["bert", "llama"])
def test_compiled(name: str) -> None:
    torch.compiler.reset()
    model, batch = without_dropout(name), batch_of("left")
    set_arc_attention(model, FUSED)
    loss, alpha = answer(model, batch)
    expected = gradients(model, loss, alpha)
    compiled = torch.compile(model, backend="aot_eager")
    compiled_loss, compiled_alpha = answer(compiled, batch)
    torch.testing.assert_close((compiled_loss, compiled_alpha), (loss, alpha))
    actual = gradients(model, compiled_loss, compiled_alpha)
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("implementation", [FUSED, BATCHED])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_bfloat16_by_autocast(name: str, implementation: str) -> None:
    model, batch = without_dropout(name), batch_of("left")
    set_arc_attention(model, implementation)
    expected = answer(model, batch)
    expected_gradients = gradients(model, *expected)
    with torch.autocast("cpu", torch.bfloat16):
        loss, alpha = answer(model, batch)
    assert alpha.dtype is torch.float32
    torch.testing.assert_close(alpha, expected[1], rtol=0, atol=0.05)
    # The gradient at the bias of keys is 0 in exact arithmetic: its noise is measured by the whole.
    whole = torch.stack([one.norm() for one in expected_gradients.values()]).norm()
    for parameter, found in gradients(model, loss, alpha).items():
        wanted = expected_gradients[parameter]
        assert (found - wanted).norm() <= 0.05 * wanted.norm() + 5e-3 * whole, parameter


def dropping(rate: float) -> tuple[PreTrainedModel, dict[str, Tensor]]:
    """A BERT of one layer in training mode whose attention alone is dropped."""
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=rate,
        initializer_range=0.3,
    )
    return BertForMaskedLM(config).train(), batch_of("right")


def test_batched_attention_is_taken_before_dropout() -> None:
    model, batch = dropping(0.5)
    set_arc_attention(model, BATCHED)
    trained = answer(model, batch)
    model.eval()
    set_arc_attention(model, EAGER)
    evaluated = answer(model, batch)
    torch.testing.assert_close(trained[1], evaluated[1], rtol=1e-5, atol=1e-6)
    assert not torch.equal(trained[0], evaluated[0])


def test_batched_attention_after_dropout_is_what_is_left_of_it() -> None:
    model, batch = dropping(0.5)
    set_arc_attention(model, BATCHED)
    torch.manual_seed(3)
    before = answer(model, batch)[1]
    torch.manual_seed(3)
    after = answer(model, batch, sas_post_dropout=True)[1]
    torch.testing.assert_close(after[after != 0], 2 * before[after != 0])
    dropped = (after == 0) & (before > 0)
    assert 0.2 < dropped.sum() / (before > 0).sum() < 0.8


def test_dropout_of_a_cpu_is_refused_by_the_fused_kernel() -> None:
    model, batch = dropping(0.1)
    with pytest.raises(UserError, match="no dropout"):
        set_arc_attention(model, FUSED)
    model.set_attn_implementation(FUSED)
    with pytest.raises(UserError, match="no dropout"):
        answer(model, batch)
    with pytest.raises(UserError, match="after dropout"):
        answer(model, batch, sas_post_dropout=True)


def test_a_cache_and_a_mask_of_numbers_are_refused() -> None:
    model, batch = without_dropout("gpt2"), batch_of("none")
    set_arc_attention(model, FUSED)
    ids, pairs = batch["input_ids"], batch["pairs"]
    cached = model(ids[:, :4], use_cache=True).past_key_values
    with pytest.raises(UserError, match="5 queries and 9 keys"):
        model(ids[:, 4:], past_key_values=cached, sas_pairs=pairs)
    with pytest.raises(UserError, match=r"expected torch\.bool"):
        model(ids, attention_mask=torch.zeros(2, 1, TOKENS, TOKENS), sas_pairs=pairs)


def test_registering_again_changes_nothing() -> None:
    assert register_arc_attentions() == register_arc_attentions() == (FUSED, BATCHED)


def chosen(requested: str, config: PretrainedConfig, **given: object) -> tuple[str, str]:
    model = BertForMaskedLM(config_of("bert", 40))
    model.config = config
    found = arc_attention_for(requested, model, **{"device": CPU, "dtype": torch.float32, **given})
    return found.implementation, found.reason


PLAIN = BertConfig(attention_probs_dropout_prob=0.0)
DROPPED = BertConfig(attention_probs_dropout_prob=0.1)


def test_what_is_chosen() -> None:
    assert chosen("auto", PLAIN) == (FUSED, "nothing speaks against the fused kernel")
    assert chosen("auto", PLAIN, length=512)[0] == FUSED
    assert chosen("auto", PLAIN, length=SHORT)[0] == BATCHED
    assert chosen("auto", PLAIN, length=SHORT, device=torch.device("cuda"))[0] == FUSED
    implementation, reason = chosen("auto", DROPPED)
    assert implementation == BATCHED
    assert "no dropout, and the model's attention has 0.1" in reason
    assert chosen("auto", DROPPED, device=torch.device("cuda"))[0] == FUSED
    assert chosen("auto", PLAIN, post_dropout=True)[0] == FUSED
    assert [chosen(name, PLAIN)[0] for name in ("fused", "batched", "eager")] == [
        FUSED,
        BATCHED,
        EAGER,
    ]


def test_what_cannot_be_had_is_refused() -> None:
    with pytest.raises(UserError, match="expected one of auto, batched, eager, fused"):
        chosen("flash", PLAIN)
    with pytest.raises(UserError, match=r"no dropout.*ask for 'batched'"):
        chosen("fused", DROPPED)
    with pytest.raises(UserError, match=r"eager attention reports what a dropout of 0\.1 has left"):
        chosen("eager", DROPPED)
    assert chosen("eager", DROPPED, post_dropout=True)[0] == EAGER


def test_why_the_kernel_does_not_fit() -> None:
    model = BertForMaskedLM(config_of("bert", 40))

    def why(device: str, dtype: torch.dtype, dropout: float = 0.0, post: bool = False) -> str:
        return str(
            not_fused_because(
                model, torch.device(device), dtype, attention_dropout=dropout, post_dropout=post
            )
        )

    assert why("cpu", torch.float32) == "None"
    assert "torch.float16" in why("cpu", torch.float16)
    assert "torch.float64" in why("cuda", torch.float64)
    assert "'mps'" in why("mps", torch.float32)
    assert "before dropout only" in why("cuda", torch.bfloat16, 0.1, post=True)
    assert "heads of 4 numbers" in why("cuda", torch.bfloat16)
    assert why("cuda", torch.float32, 0.1) == "None"


def test_dropout_of_every_config() -> None:
    assert attention_dropout_of(BertConfig(attention_probs_dropout_prob=0.25)) == 0.25
    assert attention_dropout_of(GPT2Config(attn_pdrop=0.25)) == 0.25
    for name in ("llama", "neox", "modernbert", "vanilla"):
        config = config_of(name, 40)
        config.attention_dropout = 0.25
        assert attention_dropout_of(config) == 0.25
    assert attention_dropout_of(PretrainedConfig()) is None


class Deaf(nn.Module):
    """An attention that neither asks the library which function to use nor reports anything."""

    def forward(self, hidden_states: Tensor, *_: object, **__: object) -> tuple[Tensor, None]:
        return hidden_states, None


def test_an_attention_that_cannot_be_replaced_is_named() -> None:
    model = without_dropout("bert")
    model.set_attn_implementation("sdpa")
    model.bert.encoder.layer[1].attention.self = Deaf()
    with pytest.raises(UserError, match=r"BertModel.*1 of its 2 layers.*Ask for 'eager'"):
        set_arc_attention(model, FUSED)
    assert model.config._attn_implementation == "sdpa"


def test_scores_with_other_terms_are_refused() -> None:
    config = T5Config(vocab_size=40, d_model=16, d_kv=4, d_ff=32, num_layers=1, num_heads=4)
    with pytest.raises(UserError, match="T5"):
        set_arc_attention(T5EncoderModel(config), FUSED)


def test_proving_it_changes_nothing_else() -> None:
    model = without_dropout("gpt2")
    model.transformer.h[0].eval()
    state = torch.random.get_rng_state()
    set_arc_attention(model, FUSED)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert model.training
    assert not model.transformer.h[0].training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_it_is_chosen_where_nobody_has_registered_it_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that begins with a run."""
    for name in (FUSED, BATCHED):
        monkeypatch.delitem(AttentionInterface._global_mapping, name, raising=False)
    model = model_of("bert")
    assert arc_attention_for("auto", model, device=CPU, dtype=torch.float32, length=TOKENS)[0] == (
        BATCHED
    )

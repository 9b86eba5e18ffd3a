# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Suppress syntactic attention, and release it, on a corpus of yours
#
# Does the drop of the loss need the attention to syntax that appears beside it? Chen et al. 2024
# intervene: a penalty on the attention between words that syntax connects, which can be let go in the
# middle of a run. Three arms of a small BERT here: none, suppressed throughout, suppressed and then
# released. Three minutes of one core.

# %% tags=["parameters"]
CORPUS = None  # a CoNLL-U file of yours; None draws sentences from a grammar
STEPS = 600
SENTENCES = 12_000
HELD_OUT = 200
OUT = "runs/tutorial-suppress"

# %% [markdown]
# ## The corpus
#
# Sentences with `words`, `heads` and `deprels`. A text without them gets them from a parser:
# `hf-grok data parse corpus.txt --out parsed/` (the extra `parse`).

# %%
from hf_grok.datasets_scripts import Agreement, Treebank

if CORPUS is not None:
    rows = list(Treebank(CORPUS))
else:
    builder = Agreement(
        train_size=SENTENCES,
        validation_size=0,
        test_size=0,
        generalization_size=0,
        cache_dir=f"{OUT}/data",
    )
    builder.download_and_prepare()
    rows = builder.as_dataset("train").to_list()
held_out, train = rows[:HELD_OUT], rows[HELD_OUT:]
print(f"{len(train):,} sentences to train on; the first: {' '.join(train[0]['words'])}")

# %% [markdown]
# ## One arm
#
# `encode_rows` cuts words into tokens once; `ArcCollator` masks them anew in each epoch and hands over
# the arcs; `SASTrainer` adds λ(step) times the mean attention on arcs to the loss. Evaluation never sees
# the penalty. At λ = 0 the run is the plain Trainer's, bit for bit. A corpus of many words is better
# served by a pretrained tokenizer: any fast one works.

# %%
import pandas as pd
from transformers import BertConfig, BertForMaskedLM, set_seed
from transformers.trainer_callback import PrinterCallback

from hf_grok import SASTrainer, SASTrainingArguments
from hf_grok.callbacks import ProbeCallback
from hf_grok.models import word_level_tokenizer
from hf_grok.sas import ArcCollator, encode_rows, token_mean_loss

words = {word for row in rows for word in row["words"]}
tokenizer = word_level_tokenizer(words, append_end=True, mask=True)
encoded = encode_rows(train, tokenizer, max_length=64, progress=False)
evaluated = encode_rows(held_out, tokenizer, max_length=64, progress=False)
print(encoded.counts)


def run(name, schedule):
    """Train one arm and give its evaluations."""
    set_seed(0)
    model = BertForMaskedLM(
        BertConfig(
            vocab_size=len(tokenizer),
            num_hidden_layers=3,
            num_attention_heads=4,
            hidden_size=64,
            intermediate_size=256,
            max_position_embeddings=64,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,  # the penalty is on attention as it is
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
        )
    )
    trainer = SASTrainer(
        model=model,
        args=SASTrainingArguments(
            f"{OUT}/{name}",
            max_steps=STEPS,
            per_device_train_batch_size=32,
            learning_rate=2e-3,
            lr_scheduler_type="constant_with_warmup",
            warmup_steps=STEPS // 6,
            eval_strategy="steps",
            eval_steps=STEPS // 15,
            save_strategy="no",
            dataloader_pin_memory=False,
            report_to="none",
            disable_tqdm=True,
            sas_schedule=schedule,
        ),
        train_dataset=encoded,
        eval_dataset=evaluated,
        data_collator=ArcCollator(tokenizer),
        processing_class=tokenizer,
        compute_loss_func=token_mean_loss,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(ProbeCallback(trainer, "uas", data=held_out))
    trainer.train()
    history = pd.DataFrame(trainer.state.log_history).groupby("step").first()
    return history[["eval_loss", "eval_uas_best_head"]].dropna(subset="eval_loss")


# %% [markdown]
# ## Three arms
#
# A schedule says λ from a step on: `0:0.3` suppresses throughout, `0:0.3,200:0` lets go at step 200.

# %%
LET_GO = STEPS // 3
arms = {
    "none": run("none", "0:0"),
    "suppressed": run("suppressed", "0:0.3"),
    "released": run("released", f"0:0.3,{LET_GO}:0"),
}
pd.concat({name: table.iloc[-1] for name, table in arms.items()}, axis=1).round(3)

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
labels = {
    "eval_loss": "loss, nats a masked token",
    "eval_uas_best_head": "attention UAS, best head",
}
for ax, (column, label) in zip(axes, labels.items()):
    for name, table in arms.items():
        ax.plot(table.index, table[column], label=name)
    ax.axvline(LET_GO, color="grey", lw=0.8, ls=":")
    ax.set(xlabel="step", ylabel=label)
axes[0].legend(frameon=False)
plt.show()

# %% [markdown]
# The penalty holds the loss up, and the arm that is let go begins to follow the first one down. The
# attention is less tidy: UAS asks *where* a head attends most, the penalty *how much* it does, and the
# one may rise under the other. Nor does any arm, after 600 steps, come to what a fixed offset gets on this
# grammar (.4 in [the first tutorial](probes_in_your_trainer.ipynb)): for claims, train longer.
#
# One seed shows what can happen, not what does. What 65 runs did is in [the results](../results.md),
# and differs from what is published in places; sham arcs (`sas_arcs="sham"`), the control that tells
# syntax from attention in general, are in [the regulariser](../regulariser.md). Arms at several seeds are
# [a sweep](../sweeps.md), and whether they differ is [the next tutorial](series_to_statistics.ipynb).

# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # Probes in a Trainer of your own
#
# A stock GPT-2 and a stock `Trainer`, three lines of hf-grok: what do the heads attend to while the
# loss falls? Two minutes of one core. The sentences come from a grammar, so that their trees are known;
# any rows with `words`, `heads` and `deprels` will do, such as those of
# [a treebank](../treebank.md).

# %% tags=["parameters"]
STEPS = 1_000
SENTENCES = 20_000
HELD_OUT = 300
OUT = "runs/tutorial-probes"

# %% [markdown]
# ## The data
#
# `Agreement` draws English-like sentences from a recursive grammar. Heads are 1-based with 0 for the
# root, as in CoNLL-U.

# %%
from pathlib import Path

from hf_grok.datasets_scripts import Agreement

builder = Agreement(
    train_size=SENTENCES,
    validation_size=HELD_OUT,
    test_size=HELD_OUT,
    generalization_size=0,
    cache_dir=f"{OUT}/data",
)
builder.download_and_prepare()
train, held_out = builder.as_dataset("train"), builder.as_dataset("validation")
for word, head, relation in zip(*(train[0][name] for name in ("words", "heads", "deprels"))):
    print(f"{word:<12} {head:>2}  {relation}")

# %% [markdown]
# ## The model and its Trainer
#
# Nothing here is of hf-grok but the tokenizer, which makes each word one token.

# %%
from transformers import (
    DataCollatorForLanguageModeling,
    GPT2Config,
    GPT2LMHeadModel,
    Trainer,
    TrainingArguments,
    set_seed,
)

from hf_grok.models import word_level_tokenizer

set_seed(0)
tokenizer = word_level_tokenizer(builder.vocabulary, append_end=True)
model = GPT2LMHeadModel(
    GPT2Config(
        vocab_size=len(tokenizer),
        n_layer=3,
        n_head=4,
        n_embd=64,
        n_positions=64,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
)


def as_tokens(rows):
    return [{"input_ids": tokenizer(text)["input_ids"]} for text in rows["text"]]


trainer = Trainer(
    model=model,
    args=TrainingArguments(
        OUT,
        max_steps=STEPS,
        per_device_train_batch_size=32,
        learning_rate=2e-3,
        logging_steps=100,
        save_strategy="no",
        save_only_model=True,
        dataloader_pin_memory=False,
        report_to="none",
        disable_tqdm=True,
    ),
    train_dataset=as_tokens(train),
    eval_dataset=as_tokens(held_out),
    data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
    processing_class=tokenizer,
)

# %% [markdown]
# ## The probes
#
# `ProbeCallback` runs at every evaluation; `LogSpacedCallback` makes evaluations and checkpoints come at
# steps 0, 1, 2, 4, ... where everything happens, and every 100 from there on. The run ends with the same weights,
# bit for bit, as it would without either.

# %%
from transformers.trainer_callback import PrinterCallback

from hf_grok.callbacks import LogSpacedCallback, ProbeCallback

trainer.remove_callback(PrinterCallback)  # the table below says it all
trainer.add_callback(ProbeCallback(trainer, ["uas", "sparsity", "norm"], data=held_out))
trainer.add_callback(LogSpacedCallback(trainer, evaluate="log:100", save="log:100"))
finished = trainer.train()

# %% [markdown]
# ## What came of it
#
# Their numbers are where Trainer's own are. *Best head* is the fraction of words whose head in the tree
# is what the best attention head for that relation attends to most; *fixed offset* is what "the word
# two to the left", chosen as well for each relation, gets without any model. The first is worth
# something where it lies above the second.

# %%
import pandas as pd

history = pd.DataFrame(trainer.state.log_history).groupby("step").first()
shown = {
    "eval_loss": "loss",
    "eval_uas_best_head": "best head",
    "eval_uas_best_offset": "fixed offset",
    "eval_norm_l2": "norm",
}
table = history[list(shown)].dropna().rename(columns=shown)
table.round(3)

# %%
import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3), layout="constrained")
left.plot(table.index, table["loss"])
left.set(xlabel="step", ylabel="loss, nats a token", xscale="symlog")
right.plot(table.index, table["best head"], label="best head of each relation")
right.plot(table.index, table["fixed offset"], "--", color="grey", label="best fixed offset")
right.set(xlabel="step", ylabel="attention UAS", xscale="symlog")
right.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Is that a rise?
#
# An argmax always has an answer. [An onset](../onsets.md) has a test of existence, an interval, and a
# reason where there is none.

# %%
from hf_grok.dynamics import default_window, find_onset

steps, uas = table.index.to_numpy(float), table["best head"].to_numpy()
found = find_onset(steps, uas, window=default_window(steps))
print(f"step {found.step:.0f}" if found.exists else found.reason)

# %% [markdown]
# The reason is the answer: these heads are there within a hundred steps, sooner than three of the
# evaluations that come every hundred (which is the window). Evaluate more often (`log:10`), or take the
# other rule, the crossing of a baseline, as [the third tutorial](series_to_statistics.ipynb) does. What
# they do afterwards, while the loss still falls, is no rise: the best head follows syntax less.
#
# What `hf-grok` needs to look at this run again, by itself, is its checkpoints, and the sentences:

# %%
held_out.to_parquet(f"{OUT}/held_out.parquet")
sorted(path.name for path in Path(OUT).glob("checkpoint-*"))

# %% [markdown]
# Go on: [what each probe can and cannot tell](../probes/README.md);
# [suppressing what they measure](suppress_and_release.ipynb);
# [from these checkpoints, or a series on the Hub, to statistics](series_to_statistics.ipynb).

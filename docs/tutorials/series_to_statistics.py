# ---
# jupyter:
#   jupytext:
#     text_representation: {extension: .py, format_name: percent}
#   kernelspec: {display_name: Python 3, language: python, name: python3}
# ---

# %% [markdown]
# # From a series of checkpoints to onsets and statistics
#
# Somebody trained a model and kept its checkpoints. When did its heads begin to follow syntax? And of
# several seeds: how many generalise, by when, and how sure is that? A minute of one core.

# %% tags=["parameters"]
SERIES = "runs/tutorial-probes"
SENTENCES = "runs/tutorial-probes/held_out.parquet"
OUT = "runs/tutorial-series"
CURVES = "../results"
RESAMPLES = 1_000

# %% [markdown]
# `SERIES` is the name of a series on the Hub (`me/my-series`, whose branches are `step0`, `step1`, ...;
# [published ones of others](../series.md) are read too), or the folder of a run. Here it is the run of
# [the first tutorial](probes_in_your_trainer.ipynb), so that nothing is downloaded.
# `hf-grok push runs/tutorial-probes me/my-series` puts it on the Hub, and its name there then does the
# same below. `SENTENCES` is any treebank or table of sentences with heads.
#
# ## Every checkpoint, measured
#
# This is the command `hf-grok probe`, called from Python. It writes after every probe, so that the same
# call goes on where it was stopped, and gives 0 where no probe failed.

# %%
from hf_grok.cli import main

results = f"{OUT}/probe_results.json"
main(["probe", SERIES, "--data", SENTENCES, "--probes", "uas", "--out", results])

# %% [markdown]
# ## A curve and its onset
#
# A row of the file is a number of a probe at a revision.

# %%
import json
from pathlib import Path

import pandas as pd

rows = pd.DataFrame(json.loads(Path(results).read_text())["rows"])
curves = rows.pivot(index="step", columns="metric", values="value")
curves[["uas_best_head", "uas_best_offset"]].tail(3).round(3)

# %% [markdown]
# Two rules, [explained here](../onsets.md): where the curve speeds up most, and where it leaves a
# baseline for good. The baseline is the best fixed offset, which needs no model.

# %%
from hf_grok.dynamics import default_window, find_onset


def told(found):
    """An onset in words, or why there is none."""
    return f"step {found.step:,.0f}" if found.exists else f"none: {found.reason}"


steps, heads = curves.index.to_numpy(float), curves["uas_best_head"].to_numpy()
offset = curves["uas_best_offset"].to_numpy()
window = default_window(steps)
crossing = find_onset(steps, heads, window=window, rule="crossing", baseline=offset, margin=0.03)
print("acceleration:", told(find_onset(steps, heads, window=window)))
print("crossing of the fixed offset by .03:", told(crossing))

# %% [markdown]
# ## Four seeds
#
# One run is an anecdote. These are the curves of four seeds of question formation, 15,000 steps of
# each: the fraction of questions whose first word is the hierarchical rule's, on sentences where a
# linear rule says another ([how they were made](../results.md)). The files lie in the repository, in
# `docs/results`; `load_runs` makes such a table of runs and sweeps of yours.

# %%
from hf_grok.runs import load_results

table = load_results(f"{CURVES}/question-formation-depth.parquet")
six = table[(table["layers"] == 6) & (table["seed"] <= 3) & (table["step"] <= 15_000)]
asked = six[six["metric"] == "eval_generalization_accuracy"]
seeds = asked.pivot(index="step", columns="seed", values="value")
seeds.iloc[[4, 20, 40, -1]]

# %%
import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for seed, values in seeds.items():
    ax.plot(seeds.index, values, lw=1, label=f"seed {seed}")
ax.axhline(0.8, color="grey", ls=":")
ax.set(xlabel="step", ylabel="generalization accuracy")
ax.legend(frameon=False)
plt.show()

# %% [markdown]
# Curves that swing like these have no one step at which they speed up, and the rule of acceleration
# says so instead of naming one. Their mean, over which seeds are drawn anew, is no better.

# %%
from functools import partial

from hf_grok.dynamics import bootstrap_onset

at = seeds.index.to_numpy(float)
find = partial(find_onset, window=2_000)
for seed, values in seeds.items():
    print(f"seed {seed}:", told(find(at, values.to_numpy())))
mean = bootstrap_onset(
    [(at, values.to_numpy()) for _, values in seeds.items()], find, resamples=RESAMPLES
)
print("mean:", told(mean.onset))

# %% [markdown]
# ## How many arrive, and by when
#
# What can be asked of every seed is whether it came to a level, here .8 at two evaluations in a row. A
# seed that has not by its last step is *censored*: it counts as "not by then", never as left out.

# %%
from hf_grok.dynamics.when import (
    arrival_curve,
    arrival_of,
    fraction_interval,
    restricted_mean_step,
)

arrivals = [arrival_of(at, values.to_numpy(), 0.8) for _, values in seeds.items()]
came = fraction_interval(sum(one.step is not None for one in arrivals), len(arrivals))
mean_step = restricted_mean_step(arrivals)
print("arrived at", [one.step for one in arrivals])
print(f"{came.count} of {came.seeds} seeds, 95 % interval {came.low:.2f} to {came.high:.2f}")
print(
    f"mean step {mean_step.mean:,.0f} ({mean_step.low:,.0f} to {mean_step.high:,.0f}), "
    f"those that never came counted at {mean_step.horizon:,.0f}"
)

# %%
curve = arrival_curve(arrivals)
figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
ax.step(curve.steps, curve.arrived, where="post")
ax.fill_between(curve.steps, curve.low, curve.high, step="post", alpha=0.2, lw=0)
ax.set(xlabel="step", ylabel="fraction of seeds arrived", ylim=(0, 1))
plt.show()

# %% [markdown]
# Four seeds say little: the interval is most of what is possible. How many would it take to tell an
# arm in which three of four arrive from one in which one of four does, four times of five?

# %%
from hf_grok.dynamics.when import seeds_needed

needed = seeds_needed(0.75, 0.25)
print(f"{needed.seeds} seeds an arm")

# %% [markdown]
# Go on: [a sweep](../sweeps.md) runs arms at many seeds, and `hf-grok compare` puts them beside each other:
# Fisher's test of how many, the log-rank test of when, signed ranks seed by seed.

"""Every probe, behaviour, penalty and a short run, on `tests.measurement.device` and the CPU.

Prints, for each, the largest relative difference between the two, or the error that it ended in.
Then what sums on the device once more, our code being told that the device has float64.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import torch
from accelerate.state import PartialState
from transformers import Trainer, TrainingArguments
from transformers.modeling_outputs import MaskedLMOutput

from hf_grok.measurement import precision
from hf_grok.models import word_level_tokenizer
from hf_grok.probes.registry import OURS
from hf_grok.probes.tasks import MaskedLoss, TokenLoss
from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.recipes.trainer.trainer import GrokTrainer
from hf_grok.sas.losses.masked import token_mean_loss
from hf_grok.sas.options import PenaltyOptions
from hf_grok.sas.regulariser import batch_arcs, penalty_share
from hf_grok.train import run
from tests.measurement.device import DEVICE, KIND, device
from tests.probes.matrix import model_of
from tests.probes.test_contract import TOKENIZER, probe_of
from tests.recipes.tiny import RECIPE, log_of
from tests.sas.material import annotation, maps

Numbers = dict[str, float]
TEXTS = ["the cat runs .", "a dog sees the cat ."]
MASKED = word_level_tokenizer(["the", "a", "cat", "dog", "runs", "sees", "."], mask=True)
# Summed on the CPU in any case, or counted in whole numbers.
WITHOUT_A_SUM = {
    *("probe pairs", "probe tree", "probe intrinsic_dimension", "penalty", "training loss"),
    "short run",  # of which the evaluations are among the others
}
SHORT_RUN = ["--max_steps", "2", "--probes", "uas,sparsity", "--sas_schedule", "0:0.5"]
# auto would be bf16 on a processor that multiplies it, and fp32 on the device.
SHORT_RUN += ["--precision", "fp32"]


def looks() -> Iterator[tuple[str, Callable[[], float]]]:
    for name in OURS:
        yield f"probe {name}", lambda name=name: of_model("vanilla", probe_of(name).measure)
    losses = {"gpt2": TokenLoss(TEXTS, TOKENIZER), "bert": MaskedLoss(TEXTS, MASKED)}
    for name, loss in losses.items():
        yield f"evaluation of {name}", lambda name=name, loss=loss: of_model(name, loss.measure)
    yield "penalty", lambda: of_function(penalty)
    yield "training loss", lambda: of_function(training_loss)
    yield "short run", short_run


def of_model(name: str, look: Callable[[torch.nn.Module], Numbers]) -> float:
    model = model_of(name, len(TOKENIZER))
    here = look(model)
    with device():
        model.set_attn_implementation("eager")  # whatever the library would choose there
        model.to(DEVICE)
        model.tie_weights()  # moving to a tensor of another class has made two of one
        return difference(here, look(model))


def of_function(function: Callable[[torch.device], Numbers]) -> float:
    here = function(torch.device("cpu"))
    with device():
        return difference(here, function(DEVICE))


def penalty(where: torch.device) -> Numbers:
    options = PenaltyOptions(arcs="contrast")
    arcs = batch_arcs({name: given.to(where) for name, given in annotation().items()}, options)
    attentions = [layer.detach().to(where).requires_grad_() for layer in maps(2, 2, 9)]
    share = penalty_share(attentions, arcs, arcs.counts, options)
    share.backward()
    return {"share": share.item(), "gradient": attentions[0].grad.abs().sum().item()}


def training_loss(where: torch.device) -> Numbers:
    logits = torch.randn(2, 5, 30, generator=torch.Generator().manual_seed(0))
    moved = logits.to(where).requires_grad_()
    labels = torch.tensor([[-100, 3, 4, -100, 5], [1, -100, -100, 2, 6]]).to(where)
    loss = token_mean_loss(MaskedLMOutput(logits=moved), labels)
    loss.backward()
    return {"loss": loss.item(), "gradient": moved.grad.abs().sum().item()}


def short_run() -> float:
    here = logged(["--use_cpu", "true"])
    with ExitStack() as stack:
        stack.enter_context(device())
        for owner, name, value in (
            (PartialState, "default_device", property(lambda self: DEVICE)),
            (TrainingArguments, "device", property(lambda self: self._setup_devices and DEVICE)),
            (GrokTrainer, "_save_checkpoint", mock.DEFAULT),  # the device cannot be written from
            (Trainer, "save_model", mock.DEFAULT),
        ):
            stack.enter_context(mock.patch.object(owner, name, value))
        return difference(here, logged([]))


def logged(words: list[str]) -> Numbers:
    folder = Path(tempfile.mkdtemp())
    (folder / "tiny.yaml").write_text(RECIPE.replace("use_cpu: true\n", ""))
    options = [
        "--output_dir",
        str(folder / "run"),
        "--attention",
        "eager",
        "--dropout_masks",
        "drawn",
    ]
    run(parse(load_recipe(str(folder / "tiny.yaml")), [*options, *SHORT_RUN, *words]), resume=False)
    rows = enumerate(log_of(folder / "run"))
    return {f"{number} {name}": value for number, row in rows for name, value in row.items()}


def difference(here: Numbers, there: Numbers) -> float:
    if here.keys() != there.keys():
        raise AssertionError(f"{sorted(here.keys() ^ there.keys())}")
    return max(abs(here[name] - there[name]) / max(abs(here[name]), 1e-3) for name in here)


def main() -> None:
    everything = dict(looks())
    found = {name: outcome(look) for name, look in everything.items()}
    precision._HAVE_FLOAT64 = (*precision._HAVE_FLOAT64, KIND)
    summing = everything.keys() - WITHOUT_A_SUM
    pretended = {name: outcome(everything[name]) for name in sorted(summing)}
    print(json.dumps({"found": found, "pretended": pretended}))


def outcome(look: Callable[[], float]) -> float | str:
    try:
        return look()
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]


if __name__ == "__main__":
    main()

"""help() and completion show what a public name takes: no `**options` stand for arguments."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from transformers import PreTrainedConfig, PreTrainedModel, Trainer, TrainerCallback

from hf_grok import SASTrainer
from tests.docs.test_site import NAMES

# What may be given besides is somebody else's to say.
OPEN = {
    "hf_grok.datasets_scripts.GrammarBuilder": "fields of the configuration of its subclass",
    "hf_grok.datasets_scripts.GrammarBuilder.download_and_prepare": "arguments of datasets",
    "hf_grok.datasets_scripts.PlainFeatures": "features of datasets, by name",
    "hf_grok.series.Journal.update": "values of a StepRecord",
    "hf_grok.probes.tasks.MaskedLoss.from_data": "options of the class",
    "hf_grok.probes.tasks.TokenLoss.from_data": "options of the class",
    "hf_grok.probes.build_probe": "options of the probe that is named",
    "hf_grok.probes.Probe.from_data": "options of the class that inherits it",
    "hf_grok.sas.SASMixin": "arguments of the Trainer beside it",
    "hf_grok.sas.SASMixin.train": "arguments of the Trainer beside it",
    "hf_grok.sas.SASMixin.prediction_step": "arguments of the Trainer beside it",
}
# Whose methods are called by their own libraries, with more from release to release.
CALLED_BY_OTHERS = (TrainerCallback, PreTrainedConfig, PreTrainedModel)


def callables() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Every public function, class and method that is ours, by its public name."""
    for room, name in NAMES:
        found = getattr(import_module(room), name)
        if inspect.isroutine(found):
            yield f"{room}.{name}", found
        elif inspect.isclass(found) and not issubclass(found, (*CALLED_BY_OTHERS, Exception)):
            yield f"{room}.{name}", found
            for method in vars(found):
                function = getattr(found, method)
                if method[0] != "_" and (
                    inspect.isfunction(function) or inspect.ismethod(function)
                ):
                    yield f"{room}.{name}.{method}", function


def hides(function: Callable[..., Any]) -> bool:
    kinds = [one.kind for one in inspect.signature(function).parameters.values()]
    return inspect.Parameter.VAR_KEYWORD in kinds


def test_no_public_name_hides_its_arguments() -> None:
    hidden = {name for name, function in callables() if hides(function)}
    assert hidden - set(OPEN) == set()
    assert set(OPEN) <= hidden, "no longer open: take it out"


@pytest.mark.parametrize("name", ["__init__", "train"])
def test_the_trainer_shows_what_trainer_takes(name: str) -> None:
    ours, theirs = getattr(SASTrainer, name), getattr(Trainer, name)
    assert inspect.signature(ours) == inspect.signature(theirs)


@pytest.mark.parametrize("name", ["QuestionFormation", "TenseInflection", "Dyck", "Agreement"])
def test_a_builder_shows_the_options_that_it_takes(name: str) -> None:
    builder = getattr(import_module("hf_grok.datasets_scripts"), name)
    shown = inspect.signature(builder).parameters
    assert {"config_name", "train_size", "test_size", "seed"} <= set(shown)
    made = builder(train_size=7, seed=3)
    default = builder(shown["config_name"].default)
    for option in builder.GENERATION_FIELDS:
        assert getattr(default.config, option) == shown[option].default
    assert (made.config.train_size, made.config.seed) == (7, 3)

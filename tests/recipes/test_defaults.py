"""Defaults of transformers that recipes change are listed where one looks for them."""

from __future__ import annotations

import dataclasses

from transformers import TrainingArguments

from hf_grok.recipes.arguments import GrokTrainingArguments


def test_every_default_that_differs_is_in_the_docstring() -> None:
    theirs = {field.name: field.default for field in dataclasses.fields(TrainingArguments)}
    ours = {field.name: field.default for field in dataclasses.fields(GrokTrainingArguments)}
    changed = {name for name, default in theirs.items() if ours[name] != default}
    assert len(changed) >= 6
    documented = GrokTrainingArguments.__doc__ or ""
    assert {name for name in changed if f"`{name}`" not in documented} == set()

"""Small cards that the tests of this folder share."""

from __future__ import annotations

import dataclasses
from typing import Any

from hf_grok.model_cards import (
    AnnotationFacts,
    CostFacts,
    DataFacts,
    Figure,
    ModelFacts,
    NamedStep,
    RegulariserFacts,
    SeriesCard,
    TrainingFacts,
)
from hf_grok.model_cards.languages import QUESTION_FORMATION


def step(number: int, **metrics: float) -> NamedStep:
    return NamedStep(number, f"step{number}", metrics=metrics, tokens_seen=number * 48)


def plain_card(**changes: Any) -> SeriesCard:
    """What is known of a plain Trainer's run that nobody described."""
    card = SeriesCard(
        title="run",
        model=ModelFacts("GPT2LMHeadModel", "gpt2", {"n_embd": 32}),
        data=DataFacts(),
        training=TrainingFacts(),
        steps=[step(0, eval_loss=4.0), step(10, eval_loss=3.5, eval_bleu=0.25)],
    )
    return dataclasses.replace(card, **changes)


def full_card(**changes: Any) -> SeriesCard:
    """A recipe's run with a regulariser, of which everything is known."""
    early = {"eval_loss": 4.472, "eval_generalization_accuracy": 0.1}
    late = {"eval_loss": 0.4064, "eval_in_distribution_accuracy": 1.0, "eval_uas_best_head": 0.51}
    card = SeriesCard(
        title="questions",
        model=ModelFacts(
            architecture="VanillaTransformerForCausalLM",
            model_type="vanilla_transformer",
            shape={"hidden_size": 512, "num_hidden_layers": 6},
            parameters=19_000_000,
            needs_hf_grok=True,
            from_scratch=True,
        ),
        data=DataFacts(
            name="question-formation",
            config="default",
            options={"seed": 3},
            command="hf-grok data question-formation --config default --seed 3 --out DIR",
            fingerprint="6fbd9fb28e5f99e9",
            train_examples=100_000,
            evaluation={"evaluation_examples": 500},
            language=QUESTION_FORMATION,
        ),
        training=TrainingFacts(
            recipe="question-formation (quick)",
            settings={"learning_rate": 1e-4, "model_options": {"dropout": 0.1}, "bf16": True},
            chosen={"precision": "bf16"},
            seeds={"training": 7, "data": 3},
            versions={"python": "3.11.7", "torch": "2.13.0"},
            status="finished",
            step=1000,
            max_steps=1000,
            started="2026-11-25T08:51:09+00:00",
            finished="2026-11-25T10:14:54+00:00",
        ),
        steps=[
            dataclasses.replace(step(1000, **late, eval_uas_best_offset=0.817), lambda_=0.0),
            dataclasses.replace(step(0, **early), lambda_=0.1),
            dataclasses.replace(step(100), lambda_=0.1),
        ],
        cost=CostFacts(5025.0, 1.03e15, "CPU, 1 thread of 2 cores", 1),
        repo_id="someone/questions",
        regulariser=RegulariserFacts({"sas_schedule": "0:0.1,500:0", "sas_directions": "both"}),
        annotation=AnnotationFacts("UD (gold)", "spaCy en_core_web_sm 3.8"),
        figures=[Figure("figures/accuracy (all).png", "Accuracy by step")],
        licence="mit",
    )
    return dataclasses.replace(card, **changes)

"""The numbers that a Trainer logs of its training steps, and the regulariser beside it.

They are no evaluations: their names have no `eval_`, and a `loss` of theirs is what the optimiser
saw on training data.
"""

from __future__ import annotations

from collections.abc import Mapping

from hf_grok.metrics.metric import Metric

LM_LOSS = "lm_loss"
SAS_PENALTY = "sas_penalty"
SAS_LAMBDA = "sas_lambda"
SAS_ARCS = "sas_arcs"

TRAINING: Mapping[str, Metric] = {
    "loss": Metric(
        "what the optimiser saw since the last line: the model's loss, and the penalty's share",
        "nats / token", higher_is_better=False,
    ),
    "learning_rate": Metric("learning rate of the step", "", 0.0),
    "grad_norm": Metric("norm of the gradient before it is clipped", "", 0.0),
    LM_LOSS: Metric(
        "mean loss of the language model since the last line, without the penalty",
        "nats / token", 0.0, higher_is_better=False,
    ),
    SAS_PENALTY: Metric("R: mean over arcs of the greatest attention on the arc", "share", 0.0),
    SAS_LAMBDA: Metric("lambda: what R is multiplied by; above 0 it suppresses", "nats / token"),
    SAS_ARCS: Metric("arcs that R is a mean of, in a step", "arcs", 0.0),
}  # fmt: skip

"""Behavioural measures of a causal language model: loss, questions, tense, brackets."""

from hf_grok.behaviour.base import Behaviour
from hf_grok.behaviour.dyck import DyckBehaviour
from hf_grok.behaviour.loss import TokenLoss
from hf_grok.behaviour.masked_loss import MaskedLoss
from hf_grok.behaviour.question import QuestionBehaviour
from hf_grok.behaviour.tense import TenseBehaviour

__all__ = [
    "Behaviour",
    "DyckBehaviour",
    "MaskedLoss",
    "QuestionBehaviour",
    "TenseBehaviour",
    "TokenLoss",
]

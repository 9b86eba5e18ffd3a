"""Every probe on every checkpoint that does not have its numbers yet."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase

from hf_grok.evaluation.checkpoints import Checkpoint
from hf_grok.evaluation.data import ProbeData
from hf_grok.evaluation.results import ProbeResults
from hf_grok.evaluation.runner import run_probes
from hf_grok.probes import Probe, build_probe, probe_class
from hf_grok.runs.folder import check_writable


@dataclass(frozen=True)
class AskedProbe:
    """A probe that is asked for by name, built once there is a tokenizer.

    Attributes:
        kind: its name in the registry.
        name: that its numbers begin with: another one for each split of a behaviour.
        data: its rows; None for a probe without data.
        options: keyword arguments of its class, such as allow_unknown.
    """

    kind: str
    name: str
    data: ProbeData | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """Of the probe's definition."""
        return probe_class(self.kind).version

    def build(self, tokenizer: PreTrainedTokenizerBase) -> Probe:
        """The probe over its rows, as this tokenizer cuts them."""
        rows = None if self.data is None else self.data.rows
        return build_probe(self.kind, rows, tokenizer, **self.options).named(self.name)


def probe_series(
    checkpoints: Sequence[Checkpoint], asked: Sequence[AskedProbe], results: ProbeResults
) -> None:
    """Fill `results` with what is missing; it is written after every probe.

    A checkpoint is loaded only if something of it is missing. Probes are built once for all
    checkpoints that have the same tokenizer. A probe that fails is recorded, and the rest go on.

    Args:
        checkpoints: in the order in which they are probed.
        asked: the probes.
        results: added to.

    Raises:
        UserError: they could not be written.
    """
    todo = {
        checkpoint: missing
        for checkpoint in checkpoints
        if (missing := [p for p in asked if not results.has(checkpoint, p.name, p.version)])
    }
    if todo:
        check_writable(results.path.parent, "name another file with --out")
    built = _Built()
    total = sum(map(len, todo.values()))
    bar = tqdm(total=total, unit="probe", disable=not todo or None, file=sys.stderr)
    with bar:
        for checkpoint, missing in todo.items():
            model, tokenizer = checkpoint.load()
            for one in missing:
                bar.set_description(f"{checkpoint.revision or checkpoint.source} {one.name}")
                probe = built.probe(one, tokenizer)
                results.add(checkpoint, probe, run_probes(model, [probe]))
                bar.update()


class _Built:
    """Probes by name, made anew when a checkpoint has another tokenizer."""

    def __init__(self) -> None:
        self._vocabulary: dict[str, int] | None = None
        self._probes: dict[str, Probe] = {}

    def probe(self, asked: AskedProbe, tokenizer: PreTrainedTokenizerBase) -> Probe:
        vocabulary = tokenizer.get_vocab()
        if vocabulary != self._vocabulary:
            self._vocabulary, self._probes = vocabulary, {}
        if asked.name not in self._probes:
            self._probes[asked.name] = asked.build(tokenizer)
        return self._probes[asked.name]

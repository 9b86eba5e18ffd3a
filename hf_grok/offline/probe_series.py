"""Every probe on every checkpoint that does not have its numbers yet."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from tqdm.auto import tqdm
from transformers import PreTrainedTokenizerBase

from hf_grok.offline.checkpoints import Checkpoint
from hf_grok.offline.data import ProbeData
from hf_grok.offline.results import ProbeResults
from hf_grok.probes import Probe, build_probe, probe_class
from hf_grok.probing import run_probes


def probe_series(
    checkpoints: Sequence[Checkpoint],
    names: Sequence[str],
    data: Mapping[str, ProbeData | None],
    results: ProbeResults,
    options: Mapping[str, Mapping[str, Any]],
) -> None:
    """Fill `results` with what is missing; it is written after every probe.

    A checkpoint is loaded only if something of it is missing. Probes are built once for all
    checkpoints that have the same tokenizer. A probe that fails is recorded, and the rest go on.

    Args:
        checkpoints: in the order in which they are probed.
        names: of the probes.
        data: probe -> its rows; None for a probe without data.
        results: added to.
        options: probe -> keyword arguments of its class, such as allow_unknown.
    """
    kinds = {name: probe_class(name) for name in names}
    todo = {
        checkpoint: missing
        for checkpoint in checkpoints
        if (missing := [n for n in names if not results.has(checkpoint, kinds[n])])
    }
    built = _Built(data, options)
    total = sum(map(len, todo.values()))
    bar = tqdm(total=total, unit="probe", disable=not todo or None, file=sys.stderr)
    with bar:
        for checkpoint, missing in todo.items():
            model, tokenizer = checkpoint.load()
            for name in missing:
                bar.set_description(f"{checkpoint.revision or checkpoint.source} {name}")
                probe = built.probe(name, tokenizer)
                results.add(checkpoint, probe, run_probes(model, [probe]))
                bar.update()


class _Built:
    """Probes by name, made anew when a checkpoint has another tokenizer."""

    def __init__(
        self, data: Mapping[str, ProbeData | None], options: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._data, self._options = data, options
        self._vocabulary: dict[str, int] | None = None
        self._probes: dict[str, Probe] = {}

    def probe(self, name: str, tokenizer: PreTrainedTokenizerBase) -> Probe:
        vocabulary = tokenizer.get_vocab()
        if vocabulary != self._vocabulary:
            self._vocabulary, self._probes = vocabulary, {}
        if name not in self._probes:
            data = self._data[name]
            rows = None if data is None else data.rows
            self._probes[name] = build_probe(name, rows, tokenizer, **self._options[name])
        return self._probes[name]

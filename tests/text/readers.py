"""Every reader of strangers' bytes with a valid file for it."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hf_grok.annotation.scheme import read_scheme, sidecar
from hf_grok.datasets_scripts import Treebank, read_minimal_pairs
from hf_grok.dynamics import load_run, read_curves
from hf_grok.runs.json_lines import rewind
from hf_grok.runs.notes import read_notes
from hf_grok.runs.record import RunRecord
from hf_grok.runs.schedule import StepSchedule
from hf_grok.sas.schedule import LambdaSchedule
from hf_grok.series import Journal
from hf_grok.series.card.options import OPTIONS_FILE, read_options
from hf_grok.series.local.manifest import Index, Manifest
from hf_grok.text.files import read_text
from tests.dynamics.tables import INFO
from tests.text.fuzz import Read, controls_in

_ROWS = [
    {"step": step, "eval_loss": 3.0 - step / 10, "eval_uas_single_head": 0.5} for step in range(12)
]
_FILES = {"model.safetensors": {"bytes": 9, "sha256": "ab" * 32}}
_ARM = {"settings": {"max_steps": 40}, "from": None, "step": 0, "reset_optimizer": False}
_PAIR = {"sentence_good": "cats run.", "sentence_bad": "cats runs.", "field": "morphology"}
_PAIR |= {"linguistics_term": "agreement", "UID": "bare", "pairID": "0"}
_CONLLU = (
    "# sent_id = 1\n# text = I don't!\n1\tI\t_\tPRON\t_\t_\t2\tnsubj\t_\t_\n"
    "2-3\tdon't\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\n2\tdo\t_\tX\t_\t_\t0\troot\t_\t_\n"
    "3\tn't\t_\tX\t_\t_\t2\tadvmod\t_\t_\n3.1\tgo\t_\t_\t_\t_\t_\t_\t_\t_\n"
    "4\t!\t_\tPUNCT\t_\t_\t2\tpunct\t_\t_\n\n1\tYes\t_\tX\t_\t_\t0\troot\t_\t_\n\n"
)
_RESULT = {"revision": "step2", "step": 2, "identity": "c0", "probe": "uas", "version": 1}
_RESULTS = {
    **{"format": 1, "model": "m", "probes": {}, "failures": [{**_RESULT, "reason": "why"}]},
    **{"rows": [{**_RESULT, "metric": "uas_x", "value": 0.5}]},
    "pictures": [{**_RESULT, "picture": {"a": [1, 2]}}],
}
_RESULTS["probes"] = {"uas": {"data": "d", "fingerprint": "f", "options": {}}}
_STEP = {"step": 2, "revision": "step2", "files": _FILES, "lambda": None, "tokens_seen": 64}
_STEP |= {"data_position": 16, "metrics": {"eval_loss": 2.1}}
_CARD = (
    "---\nlicense: mit\ntags: [a, b]\nmodel-index:\n- name: x\n  results:\n  - task: {type: t}\n"
    "    dataset: {name: n, type: y}\n    metrics:\n    - {type: loss, value: 1.5}\n---\n# Title\n"
    "<!-- hf-grok: yours begins -->\nmine\n<!-- hf-grok: yours ends -->\n"
)
_RECIPE = (
    "language: question-formation\nmodel: gpt2\nlayers: 2\nlanguage_options: {train_size: 100}\n"
    "evaluations: log:50\ncheckpoints: every:100\nsas_schedule: 0:0.1,300:0\nlearning_rate: 1e-3\n"
    "max_steps: 400\nseed: 3\nbucketed_batches: no\n"
)
_SWEEP = (
    "recipe: question-formation\ncommon: {max_steps: 400, checkpoints: every:100}\nseeds: [0, 1]\n"
    "arms:\n  root: {weight_decay: 0.1}\n  late: {from: root, step: 30, reset_optimizer: true}\n"
)


def _lines(*rows: Mapping[str, Any]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _json(content: Any) -> bytes:
    return json.dumps(content, indent=1).encode()


SEEDS: dict[str, bytes] = {
    "conllu": _CONLLU.encode(),
    "conllu, bad lines skipped": _CONLLU.encode(),
    "pairs": _lines(_PAIR, {**_PAIR, "pairID": "1"}),
    "data of a probe": _lines({"words": ["a", "b"], "heads": [2, 0], "deprels": ["x", "root"]}),
    "tsv": b"the newt does giggle . decl\tthe newt does giggle .\n" * 2,
    "metrics.jsonl": _lines(*_ROWS),
    "rewind": _lines(*_ROWS),
    "probes.jsonl": _lines({"step": 2, "probe": "uas", "picture": {"a": 1}}),
    "run.json": _json(INFO),
    "run.json on resume": _json({**INFO, "parent": {"checkpoint": "x", "reset_optimizer": True}}),
    "probe_results.json": _json(_RESULTS),
    "results of a probe": _json(_RESULTS),
    "trainer_state.json": _json({"global_step": 11, "log_history": _ROWS}),
    "notes of a run": _json({"global_step": 11, "log_history": _ROWS}),
    "curves.csv": b"step,eval_loss,uas\n" + b"".join(b"%d,%d,0.5\n" % (i, i) for i in range(12)),
    "curves of W&B": b'"Step","r - eval/loss","r - eval/loss__MIN"\n"0","1","1"\n"9","2","2"\n',
    "onsets printed": b"step,eval_loss\n" + b"".join(b"%d,%d\n" % (i, i > 6) for i in range(20)),
    "schedule": b"log:250,37,100",
    "strengths": b"0:0.1,300:0.1->0@50,900:-1e-3",
    "model_options": b'{"intermediate_size": 64, "hidden_act": "gelu", "a": [1, {"b": null}]}',
    "recipe": _RECIPE.encode(),
    "sweep file": _SWEEP.encode(),
    "sweep.json": _json(
        {"name": "n", "recipe": "r", "scale": None, "seeds": [0, 1], "arms": {"a": _ARM}}
    ),
    "card": _CARD.encode(),
    "series.json": _json({"format": 1, **_STEP, "hf_grok": "0.1.0"}),
    "series-index.json": _json(
        {
            **{"format": 1, "revision_template": "step{step}"},
            "steps": [{"step": 2, "revision": "step2", "weights": {"model.safetensors": "ab"}}],
            "not_published": [{"step": 4, "revision": "step4", "kind": "missing"}],
        }
    ),
    "journal": _lines({**_STEP, "state": "staged", "repository": None, "commit": "c"}),
    "card.json": _json({"licence": "mit", "figures": ["a.png"], "eval_results": False}),
    "manifest of a checkpoint": _json({"step": 2, "files": _FILES}),
    "annotation.json": _json({"annotation_scheme": "ud", "parser": "p"}),
}


def _run(file: Path, name: str) -> object:
    """A run's folder in which the file has this name, and the others are whole."""
    run = file.parent / "run"
    run.mkdir(exist_ok=True)
    (run / "run.json").write_bytes(SEEDS["run.json"])
    (run / "metrics.jsonl").write_bytes(SEEDS["metrics.jsonl"])
    for old in ("probes.jsonl", "probe_results.json"):
        (run / old).unlink(missing_ok=True)
    (run / name).write_bytes(file.read_bytes())
    return repr(load_run(run))


def _beside(file: Path, *parts: str) -> Path:
    """The folder in which the file stands under the name that a reader looks for."""
    target = file.parent.joinpath("place", *parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(file.read_bytes())
    return file.parent / "place"


def _curves(suffix: str) -> Read:
    def read(file: Path) -> object:
        target = file.with_suffix(suffix)
        target.write_bytes(file.read_bytes())
        return read_curves(target)

    return read


def _tsv(file: Path) -> object:
    return list(_grammar_reader().examples(str(file)))


@cache
def _grammar_reader() -> Any:
    from hf_grok.datasets_scripts import QuestionFormation
    from hf_grok.datasets_scripts.readers.tsv import Reader

    return Reader(QuestionFormation().language, "main")


def _data(file: Path) -> object:
    from hf_grok.evaluation.data import load_data

    target = file.with_suffix(".jsonl")
    target.write_bytes(file.read_bytes())
    return load_data(str(target))


def _printed(file: Path) -> object:
    from hf_grok.commands.onsets.command import main

    target = file.with_suffix(".csv")
    target.write_bytes(file.read_bytes())
    with contextlib.redirect_stdout(io.StringIO()) as out:
        main([str(target)])
    if wrong := controls_in(out.getvalue()):
        raise AssertionError(wrong)
    return out


def _started(file: Path) -> object:
    from hf_grok.recipes.branch import resumed_branch

    folder = _beside(file, "run.json")
    resumed_branch(folder, None)
    RunRecord(folder).start({})
    return folder


def _results(file: Path) -> object:
    from hf_grok.evaluation.results import ProbeResults

    about = {"uas": {"data": "d", "fingerprint": "f", "options": {}}}
    return ProbeResults(file, "m", about).rows


def _rewound(file: Path) -> object:
    rewind(file, 5)
    return file


def _notes(file: Path) -> object:
    return read_notes(_beside(file, "trainer_state.json"))


def _recipe(file: Path) -> object:
    from hf_grok.recipes.recipe import load_recipe, parse

    target = file.with_suffix(".yaml")
    target.write_bytes(file.read_bytes())
    return parse(load_recipe(str(target)), [])


def _planned(file: Path) -> object:
    from hf_grok.sweep.jobs import make_jobs
    from hf_grok.sweep.plan import read_plan

    target = file.with_suffix(".yaml")
    target.write_bytes(file.read_bytes())
    return make_jobs(read_plan(str(target)), file.parent / "out")


def _swept(file: Path) -> object:
    from hf_grok.report.sweep.runs import read_sweep

    return read_sweep(_beside(file, "sweep.json"))


def _options(file: Path) -> object:
    from hf_grok.text.json_reading import read_options as read_json_options

    return read_json_options("model_options", read_text(file))


def _card(file: Path) -> object:
    from hf_grok.model_cards.preserved import merge
    from hf_grok.model_cards.validation import problems

    text = read_text(file)
    return problems(text), merge(_CARD, text)


def _flaw(file: Path) -> object:
    from hf_grok.runs.manifest import flaw

    folder = _beside(file, "checkpoint-2", "manifest.json") / "checkpoint-2"
    return flaw(folder), flaw(folder, any_trainer=True)


def _scheme(file: Path) -> object:
    data = file.parent / "data"
    data.mkdir(exist_ok=True)
    sidecar(data).write_bytes(file.read_bytes())
    return read_scheme(data)


READERS: dict[str, Read] = {
    "conllu": lambda file: list(Treebank(file)),
    "conllu, bad lines skipped": lambda file: repr(Treebank(file, skip_bad_lines=True)),
    "pairs": read_minimal_pairs,
    "data of a probe": _data,
    "tsv": _tsv,
    "metrics.jsonl": lambda file: _run(file, "metrics.jsonl"),
    "rewind": _rewound,
    "probes.jsonl": lambda file: _run(file, "probes.jsonl"),
    "run.json": lambda file: _run(file, "run.json"),
    "run.json on resume": _started,
    "probe_results.json": lambda file: _run(file, "probe_results.json"),
    "results of a probe": _results,
    "trainer_state.json": _curves(".json"),
    "notes of a run": _notes,
    "curves.csv": _curves(".csv"),
    "curves of W&B": _curves(".csv"),
    "onsets printed": _printed,
    "schedule": lambda file: str(StepSchedule.parse(read_text(file))),
    "strengths": lambda file: str(LambdaSchedule.parse(read_text(file))),
    "model_options": _options,
    "recipe": _recipe,
    "sweep file": _planned,
    "sweep.json": _swept,
    "card": _card,
    "series.json": lambda file: Manifest.from_json(read_text(file), str(file)),
    "series-index.json": lambda file: Index.from_json(read_text(file), str(file)),
    "journal": lambda file: Journal(_beside(file, "journal.jsonl")).records(),
    "card.json": lambda file: read_options(_beside(file, *OPTIONS_FILE.split("/"))),
    "manifest of a checkpoint": _flaw,
    "annotation.json": _scheme,
}

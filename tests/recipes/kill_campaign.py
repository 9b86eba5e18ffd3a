"""Runs killed at named points and at any time, resumed, and compared with an undisturbed one.

Each run is drawn from a seed: a setting, up to three kills of as many starts, at times damage to
the newest checkpoint in between; then it is resumed to its end, and once more when it has ended.
Every file of it must then hold what the undisturbed run's holds, to the byte, but for run times.
"""

from __future__ import annotations

import gc
import json
import os
import random
import shutil
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hf_grok.callbacks.probe as probe_callback
import hf_grok.recipes.session as session
import hf_grok.recipes.trainer.trainer as trainer
import hf_grok.runs.json_lines as json_lines
import hf_grok.runs.record as record
from hf_grok.recipes.branch import Branch
from hf_grok.recipes.data.language import Language
from hf_grok.recipes.objective import is_masked
from hf_grok.recipes.recipe import Settings
from hf_grok.runs.folder import checkpoints
from hf_grok.series.run_series import RunSeries
from hf_grok.train import run
from tests.recipes.tiny import RUN_TIMES, tiny_settings
from tests.recipes.tiny_masked import masked_settings

# An epoch has 16 steps, so these end within one and log between checkpoints; "ends" does neither.
SHORT = ["--max_steps", "24", "--logging_steps", "7", "--evaluations", "log:8"]
UNEVEN = [*SHORT, "--checkpoints", "every:10"]
SETTINGS: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "drawn": (tiny_settings, [*UNEVEN, "--probes", "uas,norm", "--dropout_masks", "drawn"]),
    "ends": (
        tiny_settings,
        [
            *("--max_steps", "16", "--logging_steps", "8", "--evaluations", "every:8"),
            *("--checkpoints", "every:8", "--probes", "norm", "--stop_after", "9"),
        ],
    ),
    "series": (tiny_settings, [*UNEVEN, "--probes", "none", "--series", "tiny-series"]),
    "rotated": (
        tiny_settings,
        [*UNEVEN, "--probes", "norm", "--save_total_limit", "1", "--gradient_accumulation_steps=2"],
    ),
    "rare": (tiny_settings, [*SHORT, "--checkpoints", "0,12", "--probes", "none"]),
    "regulariser": (
        masked_settings,
        [*UNEVEN, "--probes", "uas,norm", "--sas_schedule", "0:0.2,5:0,12:-0.1"],
    ),
    "branch": (
        masked_settings,
        [*UNEVEN, "--probes", "none", "--sas_schedule", "0:0,10:0.3", "--series", "tiny-series"],
    ),
}
PARENT = [*UNEVEN, "--probes", "none", "--sas_schedule", "0:0.2"]
TIMES = {*RUN_TIMES, "started", "finished", "seconds"}
# point -> what is wrapped there, and on which side of it death comes.
POINTS: dict[str, tuple[Any, str, str]] = {
    "a step": (trainer.GrokTrainer, "training_step", "before"),
    "an evaluation": (trainer, "run_probes", "before"),
    "the probes": (probe_callback, "run_probes", "before"),
    "half a row": (record, "append_row", "within"),
    "half a picture": (probe_callback, "append_row", "within"),
    "a save": (trainer.GrokTrainer, "_save_checkpoint", "before"),
    "the weights": (trainer.GrokTrainer, "save_model", "after"),
    "the optimiser": (trainer.GrokTrainer, "_save_optimizer_and_scheduler", "before"),
    "the sums": (trainer, "save_loss_sums", "before"),
    "the manifest": (trainer, "write_manifest", "before"),
    "a whole checkpoint": (trainer, "write_manifest", "after"),
    "rotation": (trainer, "rotate_checkpoints", "before"),
    "the tables": (json_lines, "replace", "before"),
    "the record": (record, "write_json", "before"),
    "the record's end": (record, "write_json", "after"),
    "the final model": (session, "save_final_model", "before"),
    "the final state": (trainer.GrokTrainer, "save_state", "before"),
    "all but the record": (session, "save_final_model", "after"),
    "setting aside": (RunSeries, "add", "before"),
    "set aside": (RunSeries, "add", "after"),
}


@dataclass(frozen=True)
class Kill:
    """Death at the `count`-th passing of a point, or `seconds` after the start."""

    point: str = ""
    count: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.point} {self.count}" if self.point else f"{self.seconds:.2f} s"


@dataclass(frozen=True)
class Outcome:
    """One run of the campaign: how it was killed, and what differs from the undisturbed one."""

    setting: str
    kills: tuple[str, ...]
    died: int
    wrong: tuple[str, ...]


class Campaign:
    """Undisturbed runs, made once each, and killed ones to compare with them.

    Args:
        folder: for all of them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._passed: dict[str, Counter[str]] = {}
        self._seconds: dict[str, float] = {}
        # Made once: every start reads the same data, and making them takes most of its time.
        self._languages: dict[str, Any] = {}

    def run(self, seed: int) -> Outcome:
        """The run of one seed, and what is wrong with it."""
        draw = random.Random(seed)
        setting = sorted(SETTINGS)[seed % len(SETTINGS)]
        expected = self.undisturbed(setting)
        kills = [self._drawn(draw, setting) for _ in range(draw.choice((1, 1, 2, 3)))]
        died = 0
        shutil.rmtree(self._work, ignore_errors=True)
        for number, kill in enumerate(kills):
            dead = self._start(setting, kill, resume=number > 0) < 0
            died += dead
            if dead and draw.random() < 0.2:
                _damage(self._run, draw)
        endings = [self._start(setting, None, resume=True) for _ in range(2)]
        wrong = differences(self._run, expected)
        if any(endings):
            wrong.insert(0, f"a resumed run ended with {endings}: {self._said()}")
        if wrong:
            shutil.rmtree(self.folder / f"seed{seed}", ignore_errors=True)
            shutil.copytree(self._work, self.folder / f"seed{seed}")
        return Outcome(setting, tuple(map(str, kills)), died, tuple(wrong))

    def undisturbed(self, setting: str) -> Path:
        """The run of a setting that nothing happens to; in its place once it has been made."""
        kept = self.folder / "undisturbed" / setting
        if not kept.is_dir():
            shutil.rmtree(self._work, ignore_errors=True)
            began = time.monotonic()
            if self._start(setting, None, resume=False):
                raise RuntimeError(f"the undisturbed run failed: {self._said()}")
            self._seconds[setting] = time.monotonic() - began
            counts = json.loads((self._work / "passed.json").read_text())
            self._passed[setting] = Counter(counts)
            kept.parent.mkdir(exist_ok=True)
            shutil.copytree(self._run, kept)
        return kept

    # All runs live in one place: its name is in their files.
    @property
    def _work(self) -> Path:
        return self.folder / "work"

    @property
    def _run(self) -> Path:
        return self._work / "run"

    def _said(self) -> str:
        return (self._work / "said.txt").read_text(errors="replace")[-1500:]

    def _drawn(self, draw: random.Random, setting: str) -> Kill:
        if draw.random() < 0.25:
            return Kill(seconds=draw.uniform(0.05, self._seconds[setting]))
        point = draw.choice(sorted(self._passed[setting]))
        return Kill(point, draw.randint(1, self._passed[setting][point]))

    def _start(self, setting: str, kill: Kill | None, *, resume: bool) -> int:
        """One process from its start to its end; its exit status, below 0 for a signal."""
        branch = self._branch() if setting == "branch" else None
        self._work.mkdir(parents=True, exist_ok=True)
        settings, words = SETTINGS[setting]
        if setting not in self._languages:
            self._languages[setting] = _language(settings(self._work, *words))
        gc.freeze()  # or each child's first collection walks, and copies, all that is loaded here
        child = os.fork()
        if child == 0:
            os._exit(self._live(setting, kill, resume, branch))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    def _live(self, setting: str, kill: Kill | None, resume: bool, branch: Branch | None) -> int:
        said = os.open(self._work / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        try:
            passed = watch(kill)
            settings, words = SETTINGS[setting]
            session.load_language = lambda *given, **named: self._languages[setting]
            run(settings(self._work, *words), resume=resume, branch=branch)
            (self._work / "passed.json").write_text(json.dumps(passed))
        except BaseException:
            traceback.print_exc()
            return 1
        return 0

    def _branch(self) -> Branch:
        parent = self.folder / "parent"
        if not parent.is_dir():
            child = os.fork()
            if child == 0:
                run(masked_settings(parent, *PARENT))
                os._exit(0)
            os.waitpid(child, 0)
        return Branch(parent / "run" / "checkpoint-10")


def _language(settings: Settings) -> Language:
    """What a run with these settings reads, as its session would load it."""
    return session.load_language(
        settings.data,
        masked=is_masked(settings.model.model),
        seed=settings.training.seed,
        with_arcs=not settings.training.penalty_schedule().is_off,
        quiet=True,
    )


def watch(kill: Kill | None) -> dict[str, int]:
    """Count, in this process, how often each point is passed, and die where `kill` says."""
    passed: dict[str, int] = Counter()
    for point, (owner, name, side) in POINTS.items():
        _wrap(owner, name, side, point, kill, passed)
    if kill is not None and kill.seconds:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # which ends the process as SIGKILL would
        signal.setitimer(signal.ITIMER_REAL, kill.seconds)
    return passed


def _wrap(
    owner: Any, name: str, side: str, point: str, kill: Kill | None, passed: dict[str, int]
) -> None:
    ordinary = getattr(owner, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        passed[point] += 1
        dies = kill is not None and (point, passed[point]) == (kill.point, kill.count)
        if dies and side == "within":
            path, row = given
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row)[: len(json.dumps(row)) // 2])
        if dies and side != "after":
            os.kill(os.getpid(), signal.SIGKILL)
        result = ordinary(*given, **named)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


def _damage(folder: Path, draw: random.Random) -> None:
    """Cut a file of the newest checkpoint short, as a bad disk does."""
    for checkpoint in reversed(checkpoints(folder)):
        path = draw.choice(sorted(path for path in checkpoint.iterdir() if path.is_file()))
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        return


def differences(run: Path, expected: Path) -> list[str]:
    """Files that are missing, left over, or do not hold the same but for run times."""
    there, wanted = _files(run), _files(expected)
    wrong = [f"missing: {name}" for name in sorted(wanted - there)]
    wrong += [f"left over: {name}" for name in sorted(there - wanted)]
    for name in sorted(there & wanted):
        if content(run / name) != content(expected / name):
            wrong.append(f"differs: {name}")
    return wrong


def _files(run: Path) -> set[str]:
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    return {name for name in names if not name.endswith(".lock")}


def content(path: Path) -> Any:
    """What must be the same: JSON without run times, a journal's last row a step, or the bytes."""
    if path.name in ("metrics.jsonl", "probes.jsonl"):
        return [_timeless(json.loads(line)) for line in path.read_text().splitlines()]
    if path.name == "journal.jsonl":
        rows = [_timeless(json.loads(line)) for line in path.read_text().splitlines()]
        return {row["step"]: row for row in rows}
    if path.name == "manifest.json":
        files = json.loads(path.read_text())["files"]
        return {name: facts for name, facts in files.items() if name != "trainer_state.json"}
    if path.suffix == ".json":
        return _timeless(json.loads(path.read_text()))
    if path.name == "README.md":
        return None  # of a staged step: it says how long the run took
    return path.read_bytes()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(item) for key, item in value.items() if key not in TIMES}
    return [_timeless(item) for item in value] if isinstance(value, list) else value


def table(outcomes: list[Outcome]) -> str:
    """Runs, kills and what was wrong, by setting."""
    lines = [f"{'setting':<14}{'runs':>6}{'kills':>7}{'differ':>8}"]
    for setting in (*sorted(SETTINGS), "all"):
        these = [one for one in outcomes if setting in (one.setting, "all")]
        wrong = sum(bool(one.wrong) for one in these)
        died = sum(one.died for one in these)
        lines.append(f"{setting:<14}{len(these):>6}{died:>7}{wrong:>8}")
    return "\n".join(lines)

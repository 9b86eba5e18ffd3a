"""A series of twelve checkpoints under random faults and kills, and what is left of it afterwards.

Each run: a process goes through the motions of a Trainer (write a checkpoint, rotate, tell
CheckpointSeriesCallback) against a Hub that fails at random. It is killed some times at random
moments and started again, as one does with --resume; at last the faults end and `hf-grok push`
finishes. Then every branch is compared with what was saved.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel, TrainerControl, TrainerState, TrainingArguments

from hf_grok.callbacks import CheckpointSeriesCallback
from hf_grok.cli import main
from hf_grok.runs.folder import STATE_FILE
from hf_grok.runs.manifest import trainer_state
from hf_grok.series.hub import pusher
from hf_grok.series.local import staging
from hf_grok.series.run_series import checkpoints
from hf_grok.series.verify.hub import verify_hub
from tests.hub_server import Fault, HubServer
from tests.hub_server.client import no_waiting, patched
from tests.series.material import save_checkpoint

STEPS = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 384, 512)
# What goes wrong and how often a request meets it; each run takes some of them, more or less.
RATES = {
    Fault.LATENCY: 0.10,
    Fault.TOO_MANY_REQUESTS: 0.05,
    Fault.SERVER_ERROR: 0.05,
    Fault.UNAVAILABLE: 0.05,
    Fault.RESET_UPLOAD: 0.05,
    Fault.LOST_RESPONSE: 0.10,
    Fault.OUT_OF_SPACE: 0.05,
    Fault.TRUNCATED_DOWNLOAD: 0.05,
    Fault.REVOKED_TOKEN: 0.01,
}


@dataclass(frozen=True)
class Plan:
    """One run, drawn from its seed.

    Attributes:
        seed: of everything.
        kills: for each process that is killed, how long it lives, in seconds.
        pushes: for each of them, whether it is `hf-grok push` and not the training.
        rotation: checkpoints that are kept; 0 keeps all.
        full: probability that setting a step aside meets a full disk.
        rates: of the Hub's faults.
        steps: that are saved.
    """

    seed: int
    kills: tuple[float, ...]
    pushes: tuple[bool, ...]
    rotation: int
    full: float
    rates: dict[Fault, float]
    steps: tuple[int, ...] = STEPS

    @classmethod
    def draw(cls, seed: int, steps: tuple[int, ...] = STEPS) -> Plan:
        """Without rotation the disk may be full: what is rotated away unstaged is lost for good.

        A process is killed within the time that it needs, about a third of a second a step.
        """
        draws = random.Random(seed)
        kills = tuple(draws.uniform(0, len(steps) / 3) for _ in range(draws.randint(0, 3)))
        rotation = draws.choice((0, 1, 2))
        rates = {f: r * draws.uniform(0, 2) for f, r in RATES.items() if draws.random() < 0.5}
        pushes = tuple(number > 0 and draws.random() < 0.3 for number in range(len(kills)))
        full = 0.0 if rotation else draws.choice((0, 0.2))
        return cls(seed, kills, pushes, rotation, full, rates, steps)


@dataclass(frozen=True)
class Job:
    """What a process of a run needs to know."""

    plan: Plan
    folder: Path
    repository: str
    url: str
    token: str

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def truth(self) -> Path:
        return self.folder / "truth"


@dataclass
class Tally:
    """What became of the checkpoints; counts add up over runs."""

    should_exist: int = 0
    exist: int = 0
    bit_equal: int = 0
    wrong: int = 0
    duplicated: int = 0
    leaked: int = 0
    unclean: int = 0
    kills: int = 0
    faults: int = 0

    def __iadd__(self, other: Tally) -> Tally:
        for item in fields(self):
            setattr(self, item.name, getattr(self, item.name) + getattr(other, item.name))
        return self

    @property
    def clean(self) -> bool:
        bad = self.wrong + self.duplicated + self.leaked + self.unclean
        return bad == 0 and self.should_exist == self.exist == self.bit_equal


# --- in the processes that are killed


def train(job: Job, ready: Connection) -> None:
    """Go through a Trainer's motions from the last whole checkpoint on."""
    with _in_child(job, ready):
        last = _last_whole(job.run)
        arguments = TrainingArguments(str(job.run), use_cpu=True, report_to="none")
        state, control = TrainerState(global_step=last or 0), TrainerControl()
        callback = CheckpointSeriesCallback(job.repository, token=job.token, wait_seconds=3)
        model = GPT2LMHeadModel.from_pretrained(job.truth / "checkpoint-0")
        callback.on_train_begin(arguments, state, control, model=model)
        for step in (step for step in job.plan.steps if step > (last or 0)):
            time.sleep(0.05)  # the steps in between
            state.global_step = step
            _save(job, step)
            callback.on_save(arguments, state, control)
        callback.on_train_end(arguments, state, control)


def push(job: Job, ready: Connection) -> None:
    """`hf-grok push`; exits with its status."""
    with _in_child(job, ready):
        status = main(["push", str(job.run), job.repository])
    sys.exit(status)


@contextmanager
def _in_child(job: Job, ready: Connection) -> Iterator[None]:
    log = (job.folder / "run.log").open("ab")
    os.dup2(log.fileno(), 1)
    os.dup2(log.fileno(), 2)
    torch.set_num_threads(1)
    draws, original = random.Random(os.getpid()), staging.link_or_copy

    def link_or_full(source: Path, target: Path) -> None:
        if ".step0." not in str(target) and draws.random() < job.plan.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(source, target)

    with pytest.MonkeyPatch.context() as patch, no_waiting():
        patch.setattr(pusher, "delay", lambda attempt, asked: 0.01)
        patch.setattr(staging, "link_or_copy", link_or_full)
        with patched(job.url, job.folder / "home", job.token):
            ready.send("ready")
            yield


def _save(job: Job, step: int) -> None:
    """As Trainer does it: weights first, its state last, then the oldest ones go."""
    source, target = (f / f"checkpoint-{step}" for f in (job.truth, job.run))
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in sorted(source.iterdir(), key=lambda path: path.name == STATE_FILE):
        shutil.copyfile(path, target / path.name)
    if job.plan.rotation:
        for folder in list(checkpoints(job.run).values())[: -job.plan.rotation]:
            shutil.rmtree(folder)


def _last_whole(run: Path) -> int | None:
    whole = [step for step, folder in checkpoints(run).items() if trainer_state(folder)]
    return whole[-1] if whole else None


# --- in the process that kills


class Campaign:
    """Runs against one server.

    Args:
        folder: for everything.
        server: a running Hub.
        steps: of each series.
    """

    def __init__(self, folder: Path, server: HubServer, steps: tuple[int, ...] = STEPS) -> None:
        self._folder, self._server, self._steps = folder, server, steps
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload([__name__])

    def prepare(self, seed: int) -> Job:
        """A run's plan, and the checkpoints that it will save."""
        folder = self._folder / f"seed{seed}"
        repository = f"{self._server.user}/seed{seed}"
        plan = Plan.draw(seed, self._steps)
        for number, step in enumerate(self._steps):
            save_checkpoint(folder / "truth", step, seed=100_000 + 100 * seed + number)
        return Job(plan, folder, repository, self._server.url, self._server.write_token)

    def run(self, seed: int) -> Tally:
        """One run, examined and then removed if it was clean."""
        job = self.prepare(seed)
        faults = len(self._server.faults.log)
        self._server.faults.everywhere(seed, job.plan.rates, seconds=0.1)
        for seconds, pushes in zip(job.plan.kills, job.plan.pushes, strict=True):
            end(self.start(push if pushes else train, job), seconds)
            self._server.store.tokens.restore(job.token)
        ended = end(self.start(train, job), 120)
        tally = self.finish(job)
        tally.unclean += ended != 0  # whatever the Hub does, training goes through
        tally.kills = len(job.plan.kills)
        tally.faults = len(self._server.faults.log) - faults
        if tally.clean:
            shutil.rmtree(job.folder)
        return tally

    def finish(self, job: Job) -> Tally:
        """No more faults: `hf-grok push`, then a close look."""
        self._server.faults.stop()
        self._server.store.tokens.restore(job.token)
        job = replace(job, plan=replace(job.plan, full=0.0))
        status = end(self.start(push, job), 120)
        tally = self._examine(job)
        tally.unclean += status != 0
        return tally

    def start(self, work: Callable[..., None], job: Job) -> BaseProcess:
        """A process of a run, which has begun when this returns."""
        here, there = self._processes.Pipe(duplex=False)
        process = self._processes.Process(target=work, args=(job, there))
        process.start()
        here.poll(60)
        return process

    def _examine(self, job: Job) -> Tally:
        tally = Tally(should_exist=len(self._steps))
        repository = self._server.repository(job.repository)
        for step in self._steps:
            commit = repository.resolve(f"step{step}")
            if commit is None:
                continue
            saved = (job.truth / f"checkpoint-{step}" / "model.safetensors").read_bytes()
            there = self._server.files(job.repository, f"step{step}").get("model.safetensors")
            tally.exist += there is not None
            tally.bit_equal += there == saved
            tally.wrong += there != saved
            titles = [row.title for row in repository.history(commit)]
            tally.duplicated += titles.count(f"Step {step}") > 1
        last = (job.truth / f"checkpoint-{self._steps[-1]}" / "model.safetensors").read_bytes()
        tally.wrong += self._server.files(job.repository).get("model.safetensors") != last
        with self._server.patched():
            tally.unclean += len(verify_hub(job.repository, quiet=True).problems)
        tally.unclean += bool(repository.check())
        tally.leaked = self._leaks(job)
        return tally

    def _leaks(self, job: Job) -> int:
        """Files of the run, its log among them, and requests that hold the token."""
        token = job.token.encode()
        files = [path for path in job.folder.rglob("*") if path.is_file()]
        return sum(token in path.read_bytes() for path in files) + len(self._server.log.leaks())


def end(process: BaseProcess, seconds: float) -> int | None:
    """Let a process live for so long, then kill it if it has not ended; its exit status."""
    process.join(seconds)
    process.kill()
    process.join()
    return process.exitcode


def table(tallies: list[Tally]) -> str:
    """The sums, one a line."""
    total = Tally()
    for tally in tallies:
        total += tally
    rows = [(item.name.replace("_", " "), getattr(total, item.name)) for item in fields(total)]
    rows.insert(0, ("runs", len(tallies)))
    return "\n".join(f"{name:<14}{value:>8,}" for name, value in rows)

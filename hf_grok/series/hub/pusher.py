"""From what is staged to the Hub: in order of the steps, each one seen to, `main` last."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from filelock import FileLock, Timeout

from hf_grok.runs.notes import read_about
from hf_grok.series.card.render import files_beside, render_series_card
from hf_grok.series.errors import PushingStopsError, SeriesError
from hf_grok.series.hub.budget import CommitBudget
from hf_grok.series.hub.earlier import check_same_series, index_of, missing_here, record_of
from hf_grok.series.hub.repository import SeriesHub
from hf_grok.series.hub.retry import (
    HUB_ERRORS,
    Verdict,
    delay,
    in_words,
    retry_after,
    verdict,
)
from hf_grok.series.local import staging
from hf_grok.series.local.journal import DONE, State, StepRecord
from hf_grok.series.local.manifest import INDEX_FILE, Index, IndexEntry, dump
from hf_grok.series.local.safety import mask_tokens
from hf_grok.series.naming import MAIN, pin_of
from hf_grok.series.run_series import RunSeries

LOCK_FILE = "pushing.lock"
COMMITS_FILE = "commits.json"
Say = Callable[[str], None]


@dataclass(frozen=True)
class Outcome:
    """How a round of pushing ended.

    Attributes:
        waiting: revisions that are staged and not pushed.
        stopped: why nothing more can be pushed now; None if nothing is in the way.
        main: whether `main` holds the last step.
        private: whether the repository is one that only its owner sees.
        gone: branches that were pushed and that somebody has deleted.
    """

    waiting: tuple[str, ...]
    stopped: str | None = None
    main: bool = False
    private: bool = True
    gone: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything that was staged is on the Hub."""
        return not self.waiting and not self.gone and self.stopped is None and self.main


class Pusher:
    """Pushes what is staged of one series. One process at a time holds the series' lock.

    Args:
        series: of the run.
        hub: where to.
        tags: also pin each step with a tag.
        patience: failures in a row after which it gives up; None never does.
        budget: of commits; None for one kept beside the journal.
        token: is never shown in a message.
        info: is told what was pushed.
        warn: is told what failed.
        stop: when it is set, no more is begun.
    """

    def __init__(
        self,
        series: RunSeries,
        hub: SeriesHub,
        *,
        tags: bool = False,
        patience: int | None = None,
        budget: CommitBudget | None = None,
        token: str | None = None,
        info: Say = lambda text: None,
        warn: Say = lambda text: None,
        stop: threading.Event | None = None,
    ) -> None:
        self.series, self.hub, self._tags = series, hub, tags
        self._budget = budget or CommitBudget(series.folder / COMMITS_FILE)
        hub.before_commit = self._spend
        self._patience, self._token = patience, token
        self._info, self._warn = info, warn
        self.stop = stop or threading.Event()
        self._lock = FileLock(series.folder / LOCK_FILE)
        self._passed_over: set[int] = set()
        self._freed: set[int] = set()
        self._main_at: int | None = None
        self._earlier: Index | None = None  # what stood on main when this began
        self._looked_at_main, self._main_is_stale = False, False
        self._gone: tuple[str, ...] = ()
        self.failure: str | None = None

    def push_waiting(self) -> Outcome:
        """Push until nothing waits, a person has to act, patience ends or `stop` is set.

        Raises:
            SeriesError: another process is pushing this series; the journal cannot be read.
        """
        self.failure = None
        try:
            with self._lock.acquire(timeout=0):
                self._push_all()
        except Timeout:
            raise SeriesError(
                f"another process is pushing {self.series.folder}: let it end, or end it"
            ) from None
        except OSError as error:
            self.failure = self.masked(str(error))
        return self.outcome()

    def refresh_main(self) -> None:
        """Bring `main` up to date in the next round, though it holds the last step already."""
        self._main_is_stale = True

    def masked(self, text: str) -> str:
        """A message without the token."""
        return mask_tokens(text, self._token)

    def outcome(self) -> Outcome:
        """How things stand now."""
        waiting = [record.revision for record in self._waiting(with_passed_over=True)]
        main = self._main_at is not None and self._main_at == self._last_pushed()
        return Outcome(tuple(waiting), self.failure, main, self.hub.private, self._gone)

    def _push_all(self) -> None:
        while not self.stop.is_set() and self.failure is None:
            waiting = self._waiting()
            if waiting:
                self._insist(partial(self._push, waiting[0]), waiting[0])
            elif self._main_waits():
                self._insist(self._push_main, None)
            else:
                return

    def _main_waits(self) -> bool:
        last = self._last_pushed()
        return last is not None and (last != self._main_at or self._main_is_stale)

    def _insist(self, action: Callable[[], None], record: StepRecord | None) -> None:
        """Do it, again after failures that pass with time."""
        attempt = 0
        while not self.stop.is_set():
            try:
                action()
                return
            except HUB_ERRORS as error:
                reason, what = self.masked(self._in_words(error)), verdict(error, attempt)
                out_of_patience = self._patience is not None and attempt >= self._patience
                if what is Verdict.STOP or (what is Verdict.AGAIN and out_of_patience):
                    self.failure = reason
                    return
                if what is Verdict.NEXT:
                    self._pass_over(record, reason)
                    return
                seconds = delay(attempt, retry_after(error))
                attempt += 1
                name = record.revision if record else MAIN
                self._warn(f"{name}: {_first_line(reason)}; again in {seconds:.0f} s")
                self.stop.wait(seconds)

    def _in_words(self, error: BaseException) -> str:
        return in_words(error, self.hub.repository, "write")

    def _push(self, record: StepRecord) -> None:
        self._refuse_other_repository(record)
        if wrong := staging.staged_flaws(self.series.folder, record.manifest()):
            raise SeriesError(f"{record.revision} is not what was set aside: {'; '.join(wrong)}")
        self._wait_for_budget()
        folder = self.series.write_card(record, self.hub.repository)
        pushed = self.hub.push_step(record.revision, folder, f"Step {record.step}")
        if self._tags:
            self.hub.pin(pin_of(record.revision), pushed.commit)
        home = self.hub.repository
        done = replace(record, state=State.PUSHED, repository=home, reason=None)
        self.series.journal.append(replace(done, commit=pushed.commit, pages=pushed.pages()))
        self._info(f"{record.revision} is on {home} (commit {pushed.commit[:8]})")
        self._free_space()

    def _push_main(self) -> None:
        self._main_is_stale = False
        records = self._pushed()
        last = records[-1]
        self._refuse_other_repository(last)
        journal = self.series.journal.records().values()
        beside = missing_here(self._earlier, journal)
        if beside and beside[-1].step > last.step:  # main holds a later step, and keeps it
            self._main_at = last.step
            self._verify()
            return
        folder = staging.staged_folder(self.series.folder, last.step)
        if wrong := staging.staged_flaws(self.series.folder, last.manifest()):
            raise SeriesError(f"{last.revision} is not what was set aside: {'; '.join(wrong)}")
        self._wait_for_budget()

        shown = [*records, *map(self._only_there, beside)]
        run, repository = self.series.run, self.hub.repository

        def card(old: str | None) -> str:
            return render_series_card(run, folder, shown, repository, old)

        schemes = read_about(run).get("annotation")
        index = index_of(self.series.template.text, journal, beside, schemes)
        further = files_beside(run, folder, shown, repository)
        self.hub.push_main(folder, {**further, INDEX_FILE: dump(index.to_json()).encode()}, card)
        self._main_at = last.step
        self._verify()

    def _verify(self) -> None:
        """Where a branch still points at the commit that was seen to, say so in the journal."""
        heads = self.hub.heads()
        records = self._pushed()
        self._gone = tuple(r.revision for r in records if r.revision not in heads)
        for record in records:
            if record.revision in heads and heads[record.revision] != record.commit:
                self._warn(
                    f"branch {record.revision} of {self.hub.repository} no longer points at "
                    f"the commit of its step: hf-grok verify {self.hub.repository} looks closer"
                )
            elif record.state is State.PUSHED and record.revision in heads:
                self.series.journal.append(replace(record, state=State.VERIFIED))

    def _free_space(self) -> None:
        """Weights of steps that are on the Hub go, but for the last one's, which `main` needs."""
        for record in self._pushed()[:-1]:
            if record.step not in self._freed:
                staging.drop_weights(self.series.folder, record.step)
                self._freed.add(record.step)

    def _pass_over(self, record: StepRecord | None, reason: str) -> None:
        if record is None:
            self.failure = f"{MAIN}: {reason}"
            return
        self._passed_over.add(record.step)
        self._warn(f"{record.revision} is not pushed: {reason}")
        self.series.journal.append(replace(record, reason=reason))

    def _refuse_other_repository(self, record: StepRecord) -> None:
        self.hub.prepare()
        others = {r.repository for r in self._pushed() if r.repository != self.hub.repository}
        if others:
            raise PushingStopsError(
                f"this series is on {', '.join(sorted(map(str, others)))}: push to it again, or "
                f"move {self.series.folder} away to begin a new one from the checkpoints"
            )
        if not self._looked_at_main:
            self._look_at_main()

    def _look_at_main(self) -> None:
        index = self.hub.index()
        if index is not None:
            records = self.series.journal.records().values()
            check_same_series(index, self.series.template, records, self.hub.repository)
        self._earlier, self._looked_at_main = index, True

    def _only_there(self, entry: IndexEntry) -> StepRecord:
        return record_of(entry, self.hub.manifest(entry.revision), self.hub.repository)

    def _waiting(self, with_passed_over: bool = False) -> list[StepRecord]:
        left_out = set() if with_passed_over else self._passed_over
        return [
            record
            for record in self.series.journal.in_state(State.STAGED)
            if record.step not in left_out
        ]

    def _pushed(self) -> list[StepRecord]:
        return self.series.journal.in_state(*DONE)

    def _last_pushed(self) -> int | None:
        return max((record.step for record in self._pushed()), default=None)

    def _wait_for_budget(self) -> None:
        while (seconds := self._budget.wait()) > 0 and not self.stop.is_set():
            self._warn(f"the Hub's hourly limit of commits is reached; going on in {seconds:.0f} s")
            self.stop.wait(seconds)
        if self.stop.is_set():
            raise PushingStopsError("stopped while waiting for the Hub's hourly limit of commits")

    def _spend(self) -> None:
        self._budget.spend()


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), text)

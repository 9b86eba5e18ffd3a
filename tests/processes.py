"""Processes of their own for tests: forks of one server that has imported torch and transformers.

An interpreter takes seven seconds of a core to import them, a fork of one that has takes none.
What is tested of the start of an interpreter (launchers, what an import brings along) starts one.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import runpy
import shutil
import socket
import sys
import tempfile
import time
from pathlib import Path
from subprocess import CompletedProcess

import datasets
import torch

ROOT = Path(__file__).resolve().parents[1]
# Installed modules only: the server looks for them from wherever the tests were started.
SHARED = [
    *("torch", "datasets", "transformers.trainer", "transformers.models.auto.modeling_auto"),
    *("transformers.models.bert.modeling_bert", "hf_grok.train", "hf_grok.recipes.session"),
    *("hf_grok.recipes.trainer.trainer", "hf_grok.probes", "hf_grok.callbacks", "hf_grok.sas"),
]
_CONTEXT = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
if sys.platform == "linux":
    _CONTEXT.set_forkserver_preload(SHARED)


class Apart:
    """`python WORDS` in a process of its own, as `subprocess.Popen` would run it.

    Args:
        words: `-c CODE`, `-m MODULE` or a script, and their arguments.
        environment: set on top of this process's.
    """

    def __init__(self, words: list[str], environment: dict[str, str] | None = None) -> None:
        self._said = Path(tempfile.mkdtemp(prefix="hf-grok-apart-"))
        shared = ({**os.environ, **(environment or {})}, datasets.config.HF_DATASETS_CACHE)
        self._process = _CONTEXT.Process(target=_live, args=(words, self._said, *shared))
        self._process.start()

    def poll(self) -> int | None:
        """The exit status, below 0 for a signal; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """As one of the keyboard or of the system."""
        if self._process.pid and self.poll() is None:
            os.kill(self._process.pid, number)

    def end(self) -> None:
        """Kill it, if it runs."""
        self._process.kill()
        self._process.join()

    def finished(self, timeout: float = 200) -> CompletedProcess[str]:
        """Wait for its end; what it printed."""
        self._process.join(timeout)
        status = self.poll()
        if status is None:
            self.end()
            raise TimeoutError(f"still running after {timeout:g} s: {self._printed('errors')}")
        done = CompletedProcess([], status, self._printed("output"), self._printed("errors"))
        shutil.rmtree(self._said)
        return done

    def _printed(self, stream: str) -> str:
        file = self._said / stream
        return file.read_text(errors="replace") if file.is_file() else ""


def run_together(processes: int, words: list[str]) -> None:
    """The same words in several processes, told of each other as torchrun tells them.

    One that fails ends the others, and the test.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    shared |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    ranks = [
        Apart(words, {**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(processes)
    ]
    while any(rank.poll() is None for rank in ranks) and not any(rank.poll() for rank in ranks):
        time.sleep(0.05)
    done = []
    for rank in ranks:
        if rank.poll() is None:
            rank.end()
        done.append(rank.finished())
    assert not any(each.returncode for each in done), "\n".join(each.stderr for each in done)


def _live(words: list[str], said: Path, environment: dict[str, str], cache: str) -> None:
    """Of a fork: become `python WORDS`."""
    gc.freeze()  # or the first collection walks, and copies, all that the server has imported
    for number, stream in ((1, "output"), (2, "errors")):
        os.dup2(os.open(said / stream, os.O_WRONLY | os.O_CREAT, 0o600), number)
    os.environ.update(environment)
    os.chdir(ROOT)
    torch.set_num_threads(1)
    datasets.config.HF_DATASETS_CACHE = cache
    how, *rest = words
    if how == "-c":
        sys.argv = ["-c", *rest[1:]]
        exec(compile(rest[0], "<string>", "exec"), {"__name__": "__main__"})
    elif how == "-m":
        sys.argv = rest
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = words
        runpy.run_path(how, run_name="__main__")

"""`python -m hf_grok.sweep.held LOCK MODULE ...`: run a module while holding a lock file.

`LOCK -- COMMAND ...` runs a command instead, in the same group of processes, of which an end that
is asked for ends all. With `--with-parent` before LOCK, it ends when the process that started it
has: standard input is a pipe of that one's, which the system closes.
"""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from hf_grok.runs.folder import taken

WITH_PARENT, COMMAND = "--with-parent", "--"


def run_command(words: Sequence[str]) -> int:
    """Run a command to its end; its exit status. SIGTERM is the whole group's."""
    process = subprocess.Popen(words)

    def end_group(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)  # it is of the group itself
        end_all = getattr(os, "killpg", None)
        if end_all is not None:
            end_all(os.getpgrp(), signal.SIGTERM)
        else:
            process.terminate()

    signal.signal(signal.SIGTERM, end_group)
    return process.wait()


def end_with_parent() -> None:
    """Ask this process to end, as soon as nobody holds the other end of standard input."""

    def wait() -> None:
        while os.read(0, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def main(words: Sequence[str]) -> int:
    """Hold the lock and run what is named."""
    if words[0] == WITH_PARENT:
        end_with_parent()
        words = words[1:]
    lock, what, *rest = words
    with taken(Path(lock), f"{what} is at work already with {lock}"):
        if what == COMMAND:
            return run_command(rest)
        sys.argv = [what, *rest]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

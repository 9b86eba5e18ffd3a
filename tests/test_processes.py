from __future__ import annotations

import signal

import pytest

from tests.processes import Apart, run_together


def test_what_it_printed_and_how_it_ended() -> None:
    code = "import sys\nprint(sys.argv[1:])\nprint('no', file=sys.stderr)\nsys.exit(3)"
    done = Apart(["-c", code, "a", "b"]).finished()
    assert (done.returncode, done.stdout, done.stderr) == (3, "['a', 'b']\n", "no\n")


def test_one_that_hangs_is_ended_and_one_that_is_killed_says_so() -> None:
    with pytest.raises(TimeoutError, match=r"still running after 0\.2 s"):
        Apart(["-c", "import time; time.sleep(100)"]).finished(0.2)
    killed = Apart(["-c", "import time; time.sleep(100)"])
    killed.send_signal(signal.SIGTERM)
    assert killed.finished(20).returncode == -signal.SIGTERM


def test_a_rank_that_fails_ends_the_others_and_the_test() -> None:
    fails = "import os, time\nif os.environ['RANK'] == '1': raise ValueError('of two')\n"
    with pytest.raises(AssertionError, match="ValueError: of two"):
        run_together(2, ["-c", fails + "time.sleep(99)"])

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hf_grok.cli import main as command_line
from hf_grok.commands.report import default_folder, main
from tests.dynamics.tables import write_run
from tests.report.synthetic import question_rows


def test_one_run_is_reported_beside_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "run", question_rows(last=2_000, every=1_000))
    assert main([str(run)]) == 0
    printed = capsys.readouterr().out
    for file in ("report.html", "summary.csv", "figures/accuracy.svg", "figures/loss.png"):
        assert (run / "report" / file).is_file()
        assert str(run / "report" / file) in printed


def test_where_several_runs_are_reported() -> None:
    assert default_folder([Path("runs/a"), Path("runs/b/")]) == Path("report-a-b")
    long = [Path(f"runs/question-formation-quick-seed{seed}") for seed in range(8)]
    assert default_folder(long) == Path("report-question-formation-quick-seed0-and-7-more")


def test_a_mistake_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line(["report", str(tmp_path / "nowhere")]) == 2
    message = capsys.readouterr().err
    assert message.startswith("hf-grok report: ")
    assert "does not exist: expected a directory with run.json and metrics.jsonl" in message


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "hf-grok report runs/" in capsys.readouterr().out


def test_reading_the_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, hf_grok.commands.report, hf_grok.dynamics, hf_grok.report\n"
        "heavy = {'torch', 'datasets', 'pandas', 'matplotlib', 'jinja2'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0

"""`hf-grok onsets`: runs, seeds and CSV files in; a table for people and JSON for programs out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hf_grok.commands.onsets.command import main
from hf_grok.dynamics import find_onset, load_run
from hf_grok.errors import UserError
from hf_grok.runs.results import add_to_results
from hf_grok.runs.sweep_files import RESULTS_TABLE, read_table, write_table
from tests.dynamics.onsets.shapes import log_spaced, ramp, structural_loss
from tests.dynamics.tables import write_run

STEPS = log_spaced(4_000, 100)


def rows(shift: float = 0.0) -> list[dict[str, Any]]:
    """Evaluations of a run whose structure comes before its loss and its minimal pairs."""
    columns = {
        "eval_loss": structural_loss(STEPS, 600 + shift),
        "eval_uas_single_head": 0.1 + ramp(STEPS, 400 + shift, 200, 0.3),
        "eval_uas_single_offset": 0.28 + 0.0 * STEPS,
        "eval_pairs_accuracy": 0.5 + ramp(STEPS, 1_700 + shift, 600, 0.4),
        "eval_in_distribution_accuracy": (
            0.25 + ramp(STEPS, 0, 700, 0.05) + ramp(STEPS, 700 + shift, 300, 0.7)
        ),
        "eval_generalization_accuracy": 0.25 + ramp(STEPS, 2_000 + shift, 400, 0.75),
    }
    return [
        {
            "step": int(step),
            "eval_runtime": 1.0,
            **{name: float(values[position]) for name, values in columns.items()},
        }
        for position, step in enumerate(STEPS)
    ]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return write_run(tmp_path / "one", rows())


def printed(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    assert main([str(argument) for argument in arguments]) == 0
    return capsys.readouterr().out


def block(text: str, title: str) -> list[str]:
    """The lines of the block whose first line begins with `title`."""
    (found,) = [part for part in text.split("\n\n") if part.startswith(title)]
    return found.rstrip("\n").splitlines()


def test_a_run_by_both_rules(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, run)
    assert block(text, "eval_loss") == [
        "eval_loss, falling; window 300 steps",
        "  curve  rule          onset  interval    fall  needed",
        "  one    acceleration    600  500 to 700   1.1    0.18",
        "  one    crossing        700  600 to 700  0.63    0.31",
    ]
    assert block(text, "eval_uas_single_head") == [
        "eval_uas_single_head, rising; window 300 steps; baseline eval_uas_single_offset",
        "  curve  rule          onset  interval    rise  needed",
        "  one    acceleration    400  200 to 500   0.3    0.05",
        "  one    crossing        600  500 to 600  0.12    0.05",
    ]
    assert "baseline 0.5" in block(text, "eval_pairs_accuracy")[0]
    assert max(len(line) for line in text.splitlines()) <= 100


def test_the_order_in_time(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(
        capsys, run, "--metric", "pairs_accuracy", "--metric", "loss", "--metric", "uas_single_head"
    )
    assert block(text, "in time order") == [
        "in time order",
        "  acceleration  eval_uas_single_head 400 before eval_loss 600 before eval_pairs_accuracy "
        "1,700",
        "  crossing      eval_uas_single_head 600 before eval_loss 700 before eval_pairs_accuracy "
        "1,800",
    ]


def test_overlapping_onsets_are_not_ordered(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, run, "--metric", "in_distribution_accuracy", "--metric", "loss")
    ordered = block(text, "in time order")
    assert ordered[1] == ("  acceleration  eval_loss 600 beside eval_in_distribution_accuracy 700")
    assert ordered[-1].startswith("  beside: their intervals overlap")


def test_grokking_is_told_where_it_was_measured(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert block(printed(capsys, run), "grokking") == [
        "grokking, in steps: in-distribution accuracy >= .99, generalization >= .8 and >= .95",
        "  run  saturated  >= .8  >= .95  delay      hierarchical  early-stopping gap",
        "  one  1,000      2,300  2,400   2.4 times  yes           +.75, keeps step 1,000",
    ]
    bare = [{"step": row["step"], "eval_loss": row["eval_loss"]} for row in rows()]
    assert "grokking" not in printed(capsys, write_run(tmp_path / "bare", bare))


def test_seeds_one_by_one_and_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [write_run(tmp_path / f"seed{seed}", rows(200.0 * seed), seed=seed) for seed in range(3)]
    text = printed(capsys, *runs, "--metric", "pairs_accuracy", "--resamples", 200)
    lines = block(text, "eval_pairs_accuracy")
    names = [line.split("  ")[1] for line in lines[2:] if line[2] != " "]
    assert names == [name for seed in range(3) for name in [f"seed{seed}"] * 2] + ["mean of 3"] * 2
    assert [line.split()[2] for line in lines[2:7:2]] == ["1,700", "1,900", "2,100"]
    assert sum("200 resamples of the seeds: an onset in" in line for line in lines) == 2
    assert len(block(text, "grokking")) == 2 + 3
    assert "in time order" not in text  # of a single metric


def test_a_reason_is_printed_where_there_is_no_onset(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("step,value\n" + "".join(f"{step},0.25\n" for step in range(0, 1_001, 50)))
    with pytest.raises(UserError, match=r"value: nothing says .* give --direction value=rise or"):
        main([str(path)])
    assert printed(capsys, path, "--direction", "rise").splitlines() == [
        "value, rising; window 150 steps",
        "  curve  rule          onset  interval  rise  needed",
        "  flat   acceleration   none  flat: 0.25 at all 21 evaluations",
        "  flat   crossing       none  flat: 0.25 at all 21 evaluations",
    ]


def test_a_csv_file_with_a_window(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    steps = range(0, 40_001, 1_000)
    values = [min(max(step - 9_000, 0), 5_000) for step in steps]
    path = tmp_path / "curves.csv"
    path.write_text(
        "step,value\n" + "".join(f"{s},{v}\n" for s, v in zip(steps, values, strict=True))
    )
    text = printed(capsys, path, "--window", 3500, "--direction", "rise")
    assert "window 3,500 steps" in text
    assert "curves  acceleration   9,000  8,000 to 10,000  3,500     500" in text


def test_json_holds_what_is_printed_and_more(
    tmp_path: Path, run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_run(tmp_path / "two", rows(100.0), seed=1)
    out = tmp_path / "onsets.json"
    text = printed(
        capsys, run, other, "--json", out, "--metric", "loss", "--metric", "uas_single_head"
    )
    found = json.loads(out.read_text())
    assert found["axis"] == "steps"
    loss, uas = found["metrics"]
    assert (loss["metric"], loss["direction"], loss["baseline"]) == ("eval_loss", "fall", None)
    assert uas["baseline"] == "eval_uas_single_offset"
    evaluations = load_run(run).evaluations["eval_loss"]
    expected = find_onset(evaluations.index, evaluations, window=300, direction="fall")
    assert loss["rules"]["acceleration"]["models"]["one"] == {
        "exists": True,
        "step": expected.step,
        "interval": list(expected.interval),
        "rise": expected.rise,
        "needed": expected.needed,
    }
    mean = loss["rules"]["acceleration"]["mean"]
    assert (mean["curves"], mean["resamples"], mean["share_with_onset"]) == (2, 1_000, 1.0)
    assert [row["metric"] for row in found["order"]["acceleration"]] == [
        "eval_uas_single_head",
        "eval_loss",
    ]
    assert found["grokking"]["one"]["generalization_step_95"] == 2_400
    assert "eval_loss" in text
    no = ["--metric", "uas_single_head", "--least-rise", "0.4"]
    printed(capsys, run, "--json", out, *no)
    (only,) = json.loads(out.read_text())["metrics"]
    assert only["rules"]["acceleration"]["mean"] is None
    assert only["rules"]["acceleration"]["models"]["one"]["exists"] is False
    assert "less than 0.4" in only["rules"]["acceleration"]["models"]["one"]["reason"]


def test_options_for_one_metric_and_for_all(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(
        capsys, run, "--metric", "loss", "--metric", "uas_single_head",
        "--baseline", "loss=5.0", "--baseline", "0.35", "--margin", "0.02", "--margin",
        "loss=0.5", "--hold", 1,
    )  # fmt: skip
    assert block(text, "eval_loss")[0].endswith("; baseline 5")
    assert block(text, "eval_loss")[-1].split()[-1] == "0.5"
    assert block(text, "eval_uas")[0].endswith("; baseline 0.35")
    assert block(text, "eval_uas")[-1].split()[-1] == "0.02"
    text = printed(capsys, run, "--metric", "pairs_accuracy", "--baseline", "uas_single_offset")
    assert "; baseline eval_uas_single_offset" in text
    text = printed(capsys, run, "--metric", "pairs_accuracy", "--direction", "fall")
    assert "eval_pairs_accuracy, falling" in text


def test_without_headlines_every_metric_of_a_file_is_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "long.csv"
    lines = [
        f"{metric},{model},{step},{value}"
        for metric, model in (("loss", "a"), ("loss", "b"), ("norm", "a"))
        for step, value in zip(range(0, 1_001, 50), ramp(STEPS, 900, 300), strict=False)
    ]
    path.write_text("metric,model,step,value\n" + "\n".join(lines) + "\n")
    text = printed(capsys, path, "--direction", "norm=rise")
    assert "mean of 2" in "\n".join(block(text, "loss, falling"))
    assert "mean of" not in "\n".join(block(text, "norm, rising"))
    text = printed(capsys, path)
    assert "loss, falling" in text
    assert "not studied: norm: nothing says whether its onset is a rise or a fall" in text


def test_along_another_axis(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained = [{"step": step, "loss": 1.0, "learning_rate": 0.5} for step in (1, 4_000)]
    run = write_run(tmp_path / "one", [*trained, *rows()])
    text = printed(capsys, run, "--metric", "loss", "--axis", "cumulative_learning_rate")
    assert "window 150 cumulative learning rate" in text
    assert "acceleration    300  250 to 350" in text


def test_a_run_that_is_going_on_is_told_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_run(tmp_path / "one", rows(), status="running")
    assert "note: one is running: this is what it has done so far" in printed(capsys, run)


def test_runs_of_one_name_are_told_apart_by_their_path(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [write_run(tmp_path / folder / "run", rows()) for folder in "ab"]
    text = printed(capsys, *runs, "--metric", "loss")
    assert f"  {runs[0]}  acceleration" in text
    assert f"  {runs[1]}  acceleration" in text


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--window", "2001"], "eval_loss of one: a window of 2,001 does not fit: .*is 2,000"),
        (["--metric", "lss"], "unknown metric 'lss': expected one of eval_generalization"),
        (["--direction", "up"], "--direction up: unknown direction 'up': expected one of fall"),
        (["--margin", "wide"], "--margin wide: expected a number, or METRIC=NUMBER"),
        (["--margin", "nan"], "--margin nan: expected a number, or METRIC=NUMBER"),
        (["--margin", "-1"], "eval_loss of one: hold 2, margin -1.0: expected at least 1"),
        (["--least-rise", "ls=1"], "--least-rise ls=1: unknown metric 'ls'"),
        (["--baseline", "offset"], "--baseline offset: unknown metric 'offset'"),
        (["--hold", "0"], "eval_loss of one: hold 0"),
        (["--axis", "tokens"], "has no axis 'tokens': .*; it has steps"),
        (["--axis", "epochs"], "unknown progress axis 'epochs'"),
        (["--json", "no/such/folder/x.json"], r"--json no/such/folder/x\.json cannot be written"),
    ],
)
def test_mistakes_in_options(run: Path, options: list[str], told: str) -> None:
    with pytest.raises(UserError, match=told):
        main([str(run), *options])


def test_mistakes_in_paths(tmp_path: Path, run: Path) -> None:
    with pytest.raises(UserError, match=r"does not exist: expected a directory with run\.json"):
        main([str(tmp_path / "nowhere")])
    with pytest.raises(UserError, match="is given twice"):
        main([str(run), str(run / ".." / "one")])
    with pytest.raises(UserError, match="no evaluation yet in"):
        main([str(write_run(tmp_path / "new", [{"step": 10, "loss": 1.0}]))])
    deeper = write_run(tmp_path / "deep", rows(), model={"name": "gpt2", "layers": 12})
    with pytest.raises(UserError, match="one: question-formation, quick, vanilla_transformer, 6 "):
        main([str(run), str(deeper)])
    path = tmp_path / "curves.csv"
    path.write_text("step,value\n0,1\n10,x\n")
    with pytest.raises(UserError, match=r"curves\.csv:3: value is 'x': expected a number"):
        main([str(path)])
    path.write_text("model,step,value\na,0,1\n")
    (tmp_path / "more.csv").write_text("model,step,value\na,0,1\n")
    with pytest.raises(UserError, match="value of a is in two of the files"):
        main([str(path), str(tmp_path / "more.csv")])
    with pytest.raises(UserError, match="has steps only: --axis tokens needs a run directory"):
        main([str(path), "--axis", "tokens"])


def write_sweep(folder: Path) -> Path:
    """Two arms of which one has two finished seeds and one that goes on; the table of both."""
    arm = {"settings": {}, "from": None, "step": 0}
    about = {"name": "both", "recipe": "question-formation", "seeds": [0, 1, 2]}
    write_run(folder / "late-seed0", rows(500))
    for seed in range(3):
        status = "finished" if seed < 2 else "running"
        write_run(folder / f"base-seed{seed}", rows(100 * seed), seed=seed, status=status)
    (folder / "sweep.json").write_text(json.dumps({**about, "arms": {"base": arm, "late": arm}}))
    for name, seed in (("base", 0), ("base", 1), ("late", 0)):
        add_to_results(folder, folder / f"{name}-seed{seed}", name, {})
    return folder


def test_an_arm_of_a_sweep_and_of_its_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(tmp_path / "both")
    apart = printed(capsys, sweep / "base-seed0", sweep / "base-seed1")
    assert "mean of 2" in apart
    assert main([str(sweep), "--arm", "base"]) == 0
    text, told = capsys.readouterr()
    assert text == apart
    assert told == "left out: base-seed2 (running)\n"
    table = (sweep / RESULTS_TABLE).replace(tmp_path / "elsewhere.parquet")
    assert printed(capsys, table, "--arm", "base") == apart
    with pytest.raises(UserError, match="expected --arm with one of base, late"):
        main([str(table)])
    with pytest.raises(UserError, match=r"unknown arm with finished runs 'bas': .* base"):
        main([str(table), "--arm", "bas"])
    with pytest.raises(UserError, match="--arm base is of a sweep"):
        main([str(sweep / "base-seed0"), "--arm", "base"])


def test_a_sweep_of_one_arm_needs_no_arm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = write_sweep(tmp_path / "both")
    table = read_table(sweep / RESULTS_TABLE)
    write_table(table[table["arm"] == "late"], tmp_path / "one.parquet", {})
    assert printed(capsys, tmp_path / "one.parquet") == printed(capsys, sweep / "late-seed0")


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    text = capsys.readouterr().out
    assert text.startswith("usage: hf-grok onsets PATH")
    assert "  hf-grok onsets curves.csv --window 3500 --direction rise" in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_files_need_nothing_but_numpy(tmp_path: Path) -> None:
    path = tmp_path / "flat.csv"
    path.write_text("step,value\n" + "".join(f"{step},0.25\n" for step in range(0, 1_001, 50)))
    code = (
        "import sys\n"
        "absent = ['torch', 'datasets', 'pandas', 'matplotlib', 'jinja2', 'scipy']\n"
        "sys.modules.update(dict.fromkeys(absent))\n"
        "from hf_grok.commands.onsets.command import main\n"
        f"sys.exit(main([{str(path)!r}, '--direction', 'rise']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode == 0


def test_a_metric_that_cannot_be_studied_is_named_and_the_others_are_not_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve = tmp_path / "curves.csv"
    lines = ["step,eval_loss,eval_pairs_accuracy"]
    for step in range(0, 2_001, 50):
        loss = 3.0 - float(ramp(np.array([step]), 900, 300)[0])
        lines.append(f"{step},{loss},{0.5 if step % 1_000 == 0 else ''}")
    curve.write_text("\n".join(lines))
    text = printed(capsys, curve, "--json", tmp_path / "found.json")
    assert "900" in block(text, "eval_loss, falling")[2]
    assert "not studied: eval_pairs_accuracy: 3 evaluations, up to 1,000 apart, are too few" in text
    found = json.loads((tmp_path / "found.json").read_text())
    assert [metric["metric"] for metric in found["metrics"]] == ["eval_loss"]
    assert list(found["not_studied"]) == ["eval_pairs_accuracy"]
    with pytest.raises(UserError, match="eval_pairs_accuracy: 3 evaluations"):
        main([str(curve), "--metric", "eval_pairs_accuracy"])


def test_a_folder_of_any_trainer_is_read_by_its_last_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = range(0, 2_001, 50)
    for last in (1_000, 2_000):
        folder = tmp_path / "run" / f"checkpoint-{last}"
        folder.mkdir(parents=True)
        losses = 3.0 - ramp(np.array(steps, dtype=float), 900, 300)
        history = [
            {"step": step, "epoch": step / 100, "eval_loss": float(loss)}
            for step, loss in zip(steps, losses, strict=True)
            if step <= last
        ]
        (folder / "trainer_state.json").write_text(json.dumps({"log_history": history}))
    text = printed(capsys, tmp_path / "run")
    assert "900" in block(text, "eval_loss, falling")[2]
    with pytest.raises(UserError, match="is not a run directory"):
        main([str(tmp_path)])

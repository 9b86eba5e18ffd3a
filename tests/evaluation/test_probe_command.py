"""`hf-grok probe`: one model, a series, what is there already, bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hf_grok.annotation.scheme import write_annotation
from hf_grok.commands.probe import build_parser, main
from hf_grok.commands.probe.options import options_of
from hf_grok.commands.push import main as push
from hf_grok.errors import UserError
from hf_grok.evaluation.remote import index_of, trained_scheme
from hf_grok.packages import Brought
from hf_grok.probes import registry
from hf_grok.runs.folder import RESULTS_FILE
from tests.evaluation.material import ROWS, NormProbe, run_folder
from tests.hub_server import HubServer


@pytest.fixture(autouse=True)
def _a_probe_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        name = "asked"

        @staticmethod
        def load() -> type[NormProbe]:
            return NormProbe

    brought = Brought("another", "1", Point())
    monkeypatch.setattr(registry, "brought_points", lambda group: (brought,))
    monkeypatch.setattr(NormProbe, "calls", 0)
    monkeypatch.setattr(NormProbe, "fails_from", 10**9)


@pytest.fixture
def data(tmp_path: Path) -> str:
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return str(path)


def results(path: Path) -> dict:
    return json.loads(path.read_text())


def test_every_checkpoint_of_a_run_once(
    tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(tmp_path / "run")
    words = [str(run), "--data", data, "--probes", "asked"]
    assert main(words) == 0
    content = results(run / RESULTS_FILE)
    rows = [(row["revision"], row["step"], row["metric"]) for row in content["rows"]]
    assert rows == [(f"step{step}", step, "asked_norm") for step in (0, 10, 20)]
    assert len({row["value"] for row in content["rows"]}) == 3
    assert "2 rows" in content["probes"]["asked"]["data"]
    assert "step20" in capsys.readouterr().out
    assert NormProbe.calls == 3
    run_folder(run, [30])
    assert main(words) == 0
    assert NormProbe.calls == 4  # what was there is not computed again
    assert [row["step"] for row in results(run / RESULTS_FILE)["rows"]] == [0, 10, 20, 30]


def test_the_scheme_beside_the_data_is_kept_and_another_than_the_runs_is_said(
    tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(tmp_path / "run", [0])
    words = [str(run), "--data", data, "--probes", "asked"]
    main(words)
    assert "annotation_scheme" not in results(run / RESULTS_FILE)["probes"]["asked"]
    write_annotation(Path(data), {"annotation_scheme": "clearnlp"})
    (run / "run.json").write_text(json.dumps({"annotation": {"training": "ud"}}))
    capsys.readouterr()
    main(words)  # goes on with what was written before the scheme was known
    told = capsys.readouterr().err
    assert "note: The training arcs follow the annotation scheme ud, the evaluation arcs" in told
    about = results(run / RESULTS_FILE)["probes"]["asked"]
    assert about["annotation_scheme"] == "clearnlp"
    assert about["annotation_mismatch"].startswith("The training arcs follow the annotation scheme")
    assert trained_scheme(str(run / "checkpoint-0")) == "ud"  # of the run that it stands in
    assert trained_scheme(str(tmp_path)) is None
    out = tmp_path / "anew.json"
    main([*words, "--out", str(out)])
    assert results(out)["probes"]["asked"]["annotation_scheme"] == "clearnlp"
    write_annotation(Path(data), {"annotation_scheme": "ud"})
    capsys.readouterr()
    main(words)
    assert "annotation scheme" not in capsys.readouterr().err
    assert "annotation_mismatch" not in results(run / RESULTS_FILE)["probes"]["asked"]
    Path(f"{data}.annotation.json").unlink()
    main(words)
    assert "ud; that of the evaluation arcs is not recorded" in capsys.readouterr().err
    Path(f"{data}.annotation.json").write_text('{"annotation_scheme": "U D"}')
    with pytest.raises(UserError, match="annotation scheme 'U D'"):
        main(words)


def test_a_series_on_the_hub_says_the_scheme_that_it_was_trained_with(
    tmp_path: Path, data: str, hub_server: HubServer, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, about in (("before", {}), ("series", {"annotation": {"training": "ud"}})):
        run = run_folder(tmp_path / name, [0])
        # Without it a checkpoint is not whole, and not pushed.
        state = {"global_step": 0, "log_history": []}
        (run / "checkpoint-0" / "trainer_state.json").write_text(json.dumps(state))
        (run / "run.json").write_text(json.dumps(about))
        push([str(run), name])
    assert trained_scheme("grower/series", index_of("grower/series")) == "ud"
    assert trained_scheme("grower/before", index_of("grower/before")) is None  # an earlier index
    write_annotation(Path(data), {"annotation_scheme": "clearnlp"})
    capsys.readouterr()
    out = tmp_path / "results.json"
    main(["grower/series", "--data", data, "--probes", "asked", "--out", str(out)])
    assert "note: The training arcs follow the annotation scheme ud" in capsys.readouterr().err
    about = results(out)["probes"]["asked"]
    assert about["annotation_mismatch"].startswith("The training arcs follow the annotation scheme")


def test_other_weights_under_an_old_name_are_measured_anew(tmp_path: Path, data: str) -> None:
    run = run_folder(tmp_path / "run", [0, 10])
    words = [str(run), "--data", data, "--probes", "asked"]
    main(words)
    before = {row["step"]: row["value"] for row in results(run / RESULTS_FILE)["rows"]}
    (run / "checkpoint-5").mkdir()
    other = run_folder(tmp_path / "other", [7]) / "checkpoint-7" / "model.safetensors"
    other.replace(run / "checkpoint-10" / "model.safetensors")
    main(words)
    after = {row["step"]: row["value"] for row in results(run / RESULTS_FILE)["rows"]}
    assert after[0] == before[0]
    assert after[10] != before[10]
    assert len(after) == 2


def test_a_run_that_was_moved_or_is_called_otherwise_goes_on_with_its_results(
    tmp_path: Path, data: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another path, by a link, in another place; other folders' results are still refused."""
    run = run_folder(tmp_path / "run", [0, 10])
    words = ["--data", data, "--probes", "asked"]
    main([str(run), *words])
    before = results(run / RESULTS_FILE)["rows"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(run)
    for name in ("run", "./run", "link"):
        main([name, *words])
    main(["link", *words, "--out", "beside.json"])
    main([str(run), *words, "--out", "beside.json"])
    moved = run.rename(tmp_path / "moved")
    main([str(moved), *words])
    after = results(moved / RESULTS_FILE)
    assert after["rows"] == before
    other = run_folder(tmp_path / "other", [0])
    with pytest.raises(UserError, match=r"beside.json has the results of .*, not of other"):
        main([other.name, *words, "--out", "beside.json"])


def test_one_folder(tmp_path: Path, data: str) -> None:
    checkpoint = run_folder(tmp_path / "run", [10]) / "checkpoint-10"
    out = tmp_path / "deep" / "results.json"
    assert main([str(checkpoint), "--data", data, "--probes", "asked", "--out", str(out)]) == 0
    assert [row["step"] for row in results(out)["rows"]] == [10]


def test_a_place_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path: Path, data: str
) -> None:
    words = [str(run_folder(tmp_path / "run")), "--data", data, "--probes", "asked"]
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"cannot write to .*file.*: name another file with --out"):
        main([*words, "--out", str(tmp_path / "file" / "results.json")])
    assert NormProbe.calls == 0


def test_options_reach_the_probe_and_are_remembered(tmp_path: Path, data: str) -> None:
    run = run_folder(tmp_path / "run", [0])
    words = [str(run), "--data", data, "--probes", "asked"]
    main(words)
    scaled = [*words, "--option", "asked.scale=3.0"]
    with pytest.raises(UserError, match=r"probe 'asked' with other options .*--out"):
        main(scaled)
    main([*scaled, "--out", str(tmp_path / "scaled.json")])
    plain = results(run / RESULTS_FILE)["rows"][0]["value"]
    assert results(tmp_path / "scaled.json")["rows"][0]["value"] == pytest.approx(3 * plain)
    with pytest.raises(UserError, match=r"probe 'asked': .*unexpected keyword argument 'sale'"):
        main([*words, "--option", "asked.sale=3", "--out", str(tmp_path / "x.json")])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("no", "no"), ("On", "On"), ("0:0.1", "0:0.1"), ("same", "same"), ("true", True)),
        *(("3", 3), ("1e-1", 0.1), ("[nsubj, obj]", ["nsubj", "obj"])),
    ],
)
def test_options_are_read_as_they_are_written(text: str, value: object) -> None:
    words = ["model", "--probes", "asked", "--option", f"asked.scale={text}"]
    options = build_parser().parse_args(words)
    assert options_of(["asked"], options) == {"asked": {"scale": value}}


def test_a_failure_is_kept_and_tried_again(
    tmp_path: Path,
    data: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = run_folder(tmp_path / "run")
    words = [str(run), "--data", data, "--probes", "asked"]
    monkeypatch.setattr(NormProbe, "fails_from", 1)
    assert main(words) == 1
    content = results(run / RESULTS_FILE)
    assert [row["step"] for row in content["rows"]] == [0]
    assert [(row["step"], row["reason"]) for row in content["failures"]] == [
        (10, "ValueError: out of luck"),
        (20, "ValueError: out of luck"),
    ]
    assert "FAILED step10 asked: ValueError: out of luck" in capsys.readouterr().out
    monkeypatch.setattr(NormProbe, "fails_from", 10**9)
    assert main(words) == 0
    assert results(run / RESULTS_FILE)["failures"] == []


def test_other_data_are_refused(tmp_path: Path, data: str) -> None:
    run = run_folder(tmp_path / "run", [0])
    main([str(run), "--data", data, "--probes", "asked"])
    with pytest.raises(UserError, match=r"with other data .*2 rows, now .*1 rows"):
        main([str(run), "--data", data, "--probes", "asked", "--sample", "1"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--probes", "nonsense"], "unknown probe 'nonsense': expected one of asked, "),
        (["--probes", "asked"], "probe 'asked' needs data: give --data SOURCE"),
        (["--probes", "asked", "--data", "nowhere.jsonl"], "there is no file nowhere.jsonl"),
        (["--probes", "asked", "--data", "DATA", "--where", "task"], "expected COLUMN=VALUE"),
        (["--probes", "asked", "--data", "DATA", "--where", "a=b"], "no column 'a'; the columns"),
        (["--probes", "asked", "--data", "DATA", "--sample", "0"], "--sample 0: expected at least"),
        (["--probes", "asked", "--data", "DATA", "--option", "x"], "expected PROBE.NAME=VALUE"),
        (
            ["--probes", "asked", "--data", "DATA", "--revision", "main"],
            "is a folder: --revision chooses one of a Hub repository",
        ),
    ],
)
def test_bad_input(tmp_path: Path, data: str, words: list[str], message: str) -> None:
    run = run_folder(tmp_path / "run", [0])
    with pytest.raises(UserError, match=message):
        main([str(run), *(data if word == "DATA" else word for word in words)])


def test_what_is_no_model_and_what_is_no_results_file(tmp_path: Path, data: str) -> None:
    (tmp_path / "empty").mkdir()
    asked = ["--data", data, "--probes", "asked"]
    with pytest.raises(UserError, match=r"holds no model: expected config\.json and weights"):
        main([str(tmp_path / "empty"), *asked])
    with pytest.raises(UserError, match="is a file: expected a folder"):
        main([data, *asked])
    with pytest.raises(UserError, match="no folder here, and the Hub could not be asked"):
        main(["somebody/something", *asked])  # the tests are offline
    run = run_folder(tmp_path / "run", [0])
    (run / RESULTS_FILE).write_text("[]")
    with pytest.raises(UserError, match="is no file of probe results"):
        main([str(run), *asked])


def test_a_cut_checkpoint_is_named(tmp_path: Path, data: str) -> None:
    run = run_folder(tmp_path / "run", [0])
    (run / "checkpoint-0" / "model.safetensors").write_bytes(b"not weights")
    with pytest.raises(UserError, match=r"could not load .*checkpoint-0"):
        main([str(run), "--data", data, "--probes", "asked"])


@pytest.mark.parametrize(
    ("asked", "steps"), [("last", [20]), ("20,0", [0, 20]), (None, [0, 10, 20])]
)
def test_some_steps_of_a_series(
    tmp_path: Path, data: str, asked: str | None, steps: list[int]
) -> None:
    run = run_folder(tmp_path / "run")
    words = [] if asked is None else ["--steps", asked]
    assert main([str(run), "--data", data, "--probes", "asked", *words]) == 0
    assert [row["step"] for row in results(run / RESULTS_FILE)["rows"]] == steps


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("final", '--steps final: expected "last", or steps'),
        ("10,15", "there is no checkpoint of step 15; there are those of 0, 10, 20"),
    ],
)
def test_steps_that_are_none(tmp_path: Path, data: str, asked: str, message: str) -> None:
    run = run_folder(tmp_path / "run")
    with pytest.raises(UserError, match=message):
        main([str(run), "--data", data, "--probes", "asked", "--steps", asked])
    assert not (run / RESULTS_FILE).exists()


def test_the_table_of_a_long_series_shows_where_it_began(
    tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(tmp_path / "run", range(0, 80, 10))
    assert main([str(run), "--data", data, "--probes", "asked"]) == 0
    printed = capsys.readouterr().out
    assert printed.splitlines()[0].split() == ["step0", *(f"step{n}" for n in range(30, 80, 10))]
    assert "(2 revisions between the first two columns are in the file)" in printed


def test_longer_rows_are_left_out_and_counted(
    tmp_path: Path, data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_folder(tmp_path / "run", [0])
    assert main([str(run), "--data", data, "--probes", "asked", "--max-words", "4"]) == 0
    assert "1 row of more than 4 words left out (--max-words 4)" in capsys.readouterr().err
    about = results(run / RESULTS_FILE)["probes"]["asked"]["data"]
    assert "of at most 4 words, 1 rows" in about

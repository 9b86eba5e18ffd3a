from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hf_grok.commands.sweep_run import closing
from hf_grok.errors import UserError
from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.runs.manifest import write_manifest
from hf_grok.runs.schedule import StepSchedule
from hf_grok.sweep.folder import locked, refuse_other_settings, write_description
from hf_grok.sweep.job import FINISHED, FRESH, INTERRUPTED, Job
from hf_grok.sweep.jobs import as_words, make_jobs
from hf_grok.sweep.plan import Plan, read_plan, shipped_sweeps
from hf_grok.sweep.tasks import make_tasks
from tests.recipes.tiny import RECIPE

ARMS = {"base": {}, "fast": {"learning_rate": 2e-3}, "late": {"from": "fast", "step": 15}}


def plan_of(folder: Path, **changes: object) -> Plan:
    folder.mkdir(exist_ok=True)
    (folder / "tiny.yaml").write_text(RECIPE)
    content = {"recipe": "tiny.yaml", "seeds": [0, 1], "arms": ARMS, **changes}
    (folder / "mine.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return read_plan(str(folder / "mine.yaml"))


def stand(folder: Path, status: str) -> None:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"status": status}))


def by_key(jobs: list[Job]) -> dict[str, Job]:
    return {job.key: job for job in jobs}


def test_runs_go_by_seed_and_what_others_branch_off_goes_first(tmp_path: Path) -> None:
    jobs = make_jobs(plan_of(tmp_path), tmp_path / "out")
    assert [job.key for job in jobs] == [
        *("fast-seed0", "base-seed0", "late-seed0"),
        *("fast-seed1", "base-seed1", "late-seed1"),
    ]
    assert by_key(jobs)["late-seed1"].parent == "fast-seed1"


def test_the_words_of_a_run_say_its_settings_and_one_thread(tmp_path: Path) -> None:
    job = by_key(make_jobs(plan_of(tmp_path), tmp_path / "out"))["fast-seed1"]
    recipe, *words = job.words
    settings = parse(load_recipe(recipe), words).training
    assert (settings.seed, settings.learning_rate, settings.threads) == (1, 2e-3, 1)
    assert settings.output_dir == str(tmp_path / "out" / "fast-seed1")
    assert settings.disable_tqdm


def test_a_run_saves_at_its_own_steps_and_where_others_branch_off(tmp_path: Path) -> None:
    jobs = by_key(make_jobs(plan_of(tmp_path), tmp_path / "out"))
    recipe, *words = jobs["fast-seed0"].words
    saved = StepSchedule.parse(parse(load_recipe(recipe), words).training.checkpoints)
    assert [s for s in range(41) if saved.due(s, 40)] == [0, 10, 15, 20, 30, 40]
    assert not any("checkpoints" in word for word in jobs["base-seed0"].words)


def test_a_branch_says_its_checkpoint_until_its_record_does(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, arms={**ARMS, "late": {**ARMS["late"], "reset_optimizer": True}})
    job = by_key(make_jobs(plan, tmp_path / "out"))["late-seed0"]
    checkpoint = str(tmp_path / "out" / "fast-seed0" / "checkpoint-15")
    assert job.command()[-3:] == ("--from-checkpoint", checkpoint, "--reset-optimizer")
    stand(job.folder, "running")
    assert job.command() == (*job.words, "--resume")


def test_the_state_of_a_run_is_what_lies_in_its_folder(tmp_path: Path) -> None:
    jobs = make_jobs(plan_of(tmp_path), tmp_path / "out")
    jobs[0].folder.mkdir(parents=True)
    stand(jobs[1].folder, "finished")
    stand(jobs[2].folder, "failed")
    stand(jobs[3].folder, "running")
    (jobs[4].folder / "checkpoint-10").mkdir(parents=True)
    states = [job.state() for job in jobs]
    assert states == [FRESH, FINISHED, INTERRUPTED, INTERRUPTED, INTERRUPTED, FRESH]


def test_a_checkpoint_that_cannot_be_branched_off_is_refused(tmp_path: Path) -> None:
    jobs = by_key(make_jobs(plan_of(tmp_path), tmp_path / "out"))
    job = jobs["late-seed0"]
    jobs["base-seed0"].check_branch()
    assert job.branch is not None
    with pytest.raises(UserError, match="no manifest"):
        job.check_branch()
    job.branch.mkdir(parents=True)
    write_manifest(job.branch)
    job.check_branch()


def test_tasks_leave_out_what_is_finished_and_make_each_data_set_once(tmp_path: Path) -> None:
    arms = {**ARMS, "small": {"language_options": {"train_size": 32}}}
    jobs = make_jobs(plan_of(tmp_path, arms=arms, seeds=[0]), tmp_path / "out")
    after = {task.key: task.after for task in make_tasks(jobs, tmp_path / "out")}
    assert after == {
        "data-0": (),
        "fast-seed0": ("data-0",),
        "base-seed0": ("data-0",),
        "data-1": (),
        "small-seed0": ("data-1",),
        "late-seed0": ("data-0", "fast-seed0"),
    }
    for done in ("fast-seed0", "small-seed0"):
        stand(tmp_path / "out" / done, "finished")
    after = {task.key: task.after for task in make_tasks(jobs, tmp_path / "out")}
    assert after == {"data-0": (), "base-seed0": ("data-0",), "late-seed0": ("data-0",)}


def test_a_setting_that_training_would_refuse_is_refused_with_its_arm(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="arm fast: unknown argument --learning_rat"):
        make_jobs(plan_of(tmp_path, arms={"fast": {"learning_rat": 1}}), tmp_path / "out")
    with pytest.raises(UserError, match=r"arm fast: .*probe_every"):
        make_jobs(plan_of(tmp_path, arms={"fast": {"probe_every": 0}}), tmp_path / "out")
    arms = {"base": {}, "late": {"from": "base", "step": 40}}
    with pytest.raises(UserError, match="branches off base at step 40, but its runs end at 40"):
        make_jobs(plan_of(tmp_path, arms=arms), tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"weight_decay": 0.1}, "arm late: this run cannot branch off arm fast: weight_decay was"),
        ({"heads": 4, "sas_schedule": "0:1"}, "arm late: .* heads was 2 and is 4"),
        ({"max_steps": 15}, "arm late branches off at step 15, and its max_steps is 15"),
    ],
)
def test_a_branch_that_is_not_the_run_it_leaves_is_refused_before_that_is_trained(
    tmp_path: Path, changes: dict[str, object], told: str
) -> None:
    arms = {**ARMS, "late": {**ARMS["late"], **changes}}
    with pytest.raises(UserError, match=told):
        make_jobs(plan_of(tmp_path, arms=arms), tmp_path / "out")
    allowed = {**ARMS, "late": {**ARMS["late"], "max_steps": 50, "logging_steps": 1}}
    assert by_key(make_jobs(plan_of(tmp_path, arms=allowed), tmp_path))["late-seed0"].last == 50


def test_values_become_words_that_say_the_same() -> None:
    values = {"lists": [1, 2], "mapping": {"a": 1}, "text": "0:-0.1", "unset": None, "yes": True}
    assert as_words(values) == [
        *("--lists", "1", "2"),
        *('--mapping={"a": 1}', "--text=0:-0.1", "--yes=True"),
    ]


def test_runs_of_other_settings_are_not_mixed(tmp_path: Path) -> None:
    plan, out = plan_of(tmp_path), tmp_path / "out"
    write_description(plan, out)
    changed = plan_of(tmp_path, arms={**ARMS, "fast": {"learning_rate": 0.1}})
    refuse_other_settings(changed, make_jobs(changed, out), out)  # nothing has begun
    stand(out / "fast-seed0", "running")
    refuse_other_settings(plan, make_jobs(plan, out), out)
    with pytest.raises(UserError, match=r"arm fast .*learning_rate: 0.002 there, 0.1 now"):
        refuse_other_settings(changed, make_jobs(changed, out), out)
    more = plan_of(tmp_path, arms={**ARMS, "later": {"from": "fast", "step": 20}})
    refuse_other_settings(more, make_jobs(more, out), out)


def test_the_description_keeps_the_order_of_arms_and_every_seed(tmp_path: Path) -> None:
    plan, out = plan_of(tmp_path), tmp_path / "out"
    write_description(plan, out)
    write_description(plan.chosen(None, [5]), out)
    content = json.loads((out / "sweep.json").read_text())
    assert content["seeds"] == [0, 1, 5]
    assert list(content["arms"]) == ["base", "fast", "late"]
    assert content["arms"]["late"] == {
        "settings": {"learning_rate": 2e-3},
        "from": "fast",
        "step": 15,
        "reset_optimizer": False,
    }
    assert content["versions"]["torch"]


def test_two_sweeps_do_not_write_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(UserError, match="another sweep"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass


@pytest.mark.parametrize("name", shipped_sweeps())
def test_every_shipped_sweep_can_be_run(name: str, tmp_path: Path) -> None:
    plan = read_plan(name)
    assert len(make_jobs(plan, tmp_path)) == len(plan.arms) * len(plan.seeds)


def test_a_sweep_without_a_finished_run_has_nothing_to_draw(tmp_path: Path) -> None:
    told = closing([], {"base-seed0": "said why"}, tmp_path)
    assert told.splitlines() == [
        f"0 of 0 runs in {tmp_path} are finished",
        "failed: base-seed0; the same command tries them again",
    ]

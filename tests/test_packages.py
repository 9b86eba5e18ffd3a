"""Languages, recipes and sweeps of other packages that clash or are broken: named, and apart."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import pytest

from hf_grok.cli import main
from hf_grok.datasets_scripts import Dyck
from hf_grok.errors import UserError
from hf_grok.languages import known_languages, language, name_of
from hf_grok.metrics import find_metric
from hf_grok.packages import brought_files, brought_points, folder_of
from hf_grok.probes import probe_class
from hf_grok.recipes.probes import foreign_versions
from hf_grok.recipes.recipe import load_recipe, parse
from hf_grok.sweep.folder import write_description
from hf_grok.sweep.jobs import make_jobs
from hf_grok.sweep.plan import read_plan
from hf_grok.version import __version__
from tests.your_language import announce


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_name_of_two_packages_is_refused_with_both(site: Path) -> None:
    announce(site, "one", {"finnish": "one:FINNISH"}, "0.1")
    announce(site, "two", {"finnish": "two:FINNISH", "dyck": "two:DYCK"}, "0.2")
    with pytest.raises(UserError, match=r"language 'finnish' is brought by one 0.1 and by two 0.2"):
        language("finnish")
    with pytest.raises(UserError, match=rf"'dyck' is brought by hf-grok {__version__} and by two"):
        language("dyck")
    assert language("agreement").pairs == "minimal-pairs"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemError('no luck')", "SystemError: no luck"),
        ("import nothing_of_the_kind", "No module named 'nothing_of_the_kind'"),
        ("FINNISH = 3", r"is 3: expected a hf_grok.languages.Language"),
        ("", "has no attribute 'FINNISH'"),
    ],
)
def test_a_broken_one_is_named_and_breaks_no_other(
    code: str,
    said: str,
    site: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delitem(sys.modules, "broken_grammar", raising=False)
    write(site / "broken_grammar" / "__init__.py", code)
    announce(site, "broken", {"finnish": "broken_grammar:FINNISH"})
    with pytest.raises(UserError, match=rf"language 'finnish' of broken 1.0 .*{said}"):
        language("finnish")
    assert name_of(Dyck) == "dyck"
    assert "finnish" in known_languages()
    with pytest.raises(SystemExit):
        main(["data", "--help"])
    listed = capsys.readouterr().out
    assert "  finnish             (language 'finnish' of broken 1.0" in listed
    assert "  dyck                Dyck language\n" in listed
    assert main(["data", "finnish", "--out", str(site / "out")]) == 2
    assert "broken 1.0" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["no module!", ":IT", ".one:IT", "a.b"])
def test_an_entry_of_another_form_is_named_and_breaks_nothing(value: str, site: Path) -> None:
    announce(site, "odd", {"finnish": value})
    with pytest.raises(UserError, match=r"language 'finnish' of odd 1.0 .* cannot be loaded"):
        language("finnish")
    assert load_recipe("dyck").values["language"] == "dyck"


def test_recipes_and_sweeps_of_one_name_are_refused_with_both(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for package in ("one", "two"):
        write(site / package / "__init__.py", "raise RuntimeError('listing runs nothing')")
        write(site / package / "recipes" / "suomi" / "quick.yaml", "language: finnish\n")
        write(site / package / "sweeps" / "suomi.yaml")
        announce(site, package, {package: f"{package}:IT"})
    write(site / "one" / "recipes" / "vepsian" / "paper.yaml", "language: one\n")
    with pytest.raises(UserError, match=r"recipe 'suomi' is brought by one 1.0 and by two 1.0"):
        load_recipe("suomi")
    with pytest.raises(UserError, match=r"sweep 'suomi' is brought by one 1.0 and by two 1.0"):
        read_plan("suomi")
    assert load_recipe("vepsian", "paper").values == {"language": "one"}
    assert load_recipe("dyck").values["language"] == "dyck"
    main(["train", "--list"])
    listed = capsys.readouterr().out
    assert "(refused, since two have it: one 1.0, two 1.0)" in listed
    assert "vepsian               paper  (one 1.0)" in listed


def test_the_folder_of_a_module_is_found_without_running_it(site: Path) -> None:
    write(site / "lab" / "sami" / "__init__.py", "raise RuntimeError")
    write(site / "lab" / "sami" / "north.py", "raise RuntimeError")
    write(site / "alone.py", "raise RuntimeError")
    assert folder_of("lab.sami") == folder_of("lab.sami.north") == site / "lab" / "sami"
    assert folder_of("alone") is None
    assert folder_of("lab.sami.south") is None
    assert folder_of("nowhere.at.all") is None


def test_our_own_files_come_first(site: Path) -> None:
    write(site / "one" / "sweeps" / "abc.yaml")
    announce(site, "one", {"a": "one:A", "b": "one:B"})
    names = [(found.package, found.thing.name) for found in brought_files("sweeps", "*.yaml")]
    assert names[-1] == ("one", "abc.yaml")
    assert {package for package, _ in names[:-1]} == {"hf-grok"}


def test_cached_data_follow_every_module_of_a_builders_package(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(site / "vepsian" / "__init__.py")
    write(site / "vepsian" / "inner" / "words.py", "DOG = 'koir'\n")
    code = "from hf_grok.datasets_scripts import Dyck\n\nclass Vepsian(Dyck):\n    pass\n"
    write(site / "vepsian" / "builder.py", code)
    write(site / "elsewhere.py")
    builder_class = importlib.import_module("vepsian.builder").Vepsian
    before = builder_class(cache_dir=site / "cache").cache_dir
    write(site / "elsewhere.py", "changed = True\n")
    assert builder_class(cache_dir=site / "cache").cache_dir == before
    write(site / "vepsian" / "inner" / "words.py", "DOG = 'koirad'\n")
    assert builder_class(cache_dir=site / "cache").cache_dir != before
    for name in ("vepsian", "vepsian.builder"):
        monkeypatch.delitem(sys.modules, name)


def announce_probes(site: Path, package: str, probes: dict[str, str], version: str = "1.0") -> None:
    """A package that brings probes."""
    about = announce(site, package, {}, version)
    lines = [f"{name} = {value}" for name, value in probes.items()]
    write(about / "entry_points.txt", "\n".join(["[hf_grok.probes]", *lines, ""]))


def test_a_probe_of_two_packages_is_refused_with_both(site: Path) -> None:
    announce_probes(site, "one", {"parts": "hf_grok.probes:WeightNorm"}, "0.1")
    announce_probes(site, "two", {"parts": "nowhere:It", "norm": "nowhere:It"}, "0.2")
    with pytest.raises(UserError, match=r"probe 'parts' is brought by one 0.1 and by two 0.2"):
        probe_class("parts")
    with pytest.raises(UserError, match=r"probe 'parts' is brought by one 0.1 and by two 0.2"):
        find_metric("eval_parts_found")
    with pytest.raises(UserError, match=rf"'norm' is brought by hf-grok {__version__} and by two"):
        probe_class("norm")
    assert probe_class("uas").name == "uas"


def test_what_is_installed_is_looked_through_once(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    announce_probes(site, "one", {"parts": "hf_grok.probes:WeightNorm"})
    first = brought_points("hf_grok.probes")
    monkeypatch.setattr("hf_grok.packages.entry_points", lambda **_: pytest.fail("looked again"))
    assert brought_points("hf_grok.probes") is first
    assert [str(one) for one in first if one.thing.name == "parts"] == ["one 1.0"]


def test_runs_and_sweeps_record_the_packages_that_bring_what_they_use(site: Path) -> None:
    announce_probes(site, "parts", {"parts": "hf_grok.probes:WeightNorm"}, "0.3")
    write(site / "suomi" / "recipes" / "suomi" / "quick.yaml", "language: dyck\n")
    write(site / "suomi" / "sweeps" / "depths.yaml", "recipe: suomi\nseeds: [0]\narms: {a: {}}\n")
    announce(site, "suomi", {"x": "suomi:IT"}, "2.0")
    recipe = load_recipe("suomi")
    assert foreign_versions(parse(recipe, ["--probes", "norm,parts"])) == {
        "suomi": "2.0",
        "parts": "0.3",
    }
    assert foreign_versions(parse(load_recipe("dyck"), [])) == {}
    plan = read_plan("depths", {"probes": "parts"})
    out = site / "out"
    write_description(plan, out, make_jobs(plan, out))
    recorded = json.loads((out / "sweep.json").read_text())["versions"]
    assert (recorded["suomi"], recorded["parts"]) == ("2.0", "0.3")
    assert recorded["hf_grok"] == __version__

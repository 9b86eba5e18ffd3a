"""The vanilla transformer's code as a file of its own, and series that carry it."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from hf_grok.callbacks.published_config import published_config, published_config_with_code
from hf_grok.models import VanillaTransformerConfig, VanillaTransformerForCausalLM
from hf_grok.series import RevisionTemplate, RunSeries, SeriesError, State, StepValues
from hf_grok.series.code import python_bundle as bundler
from hf_grok.series.code.model_code import AUTO_MAP, MODEL_CODE_FILE, model_code, ships_code
from hf_grok.series.local.manifest import Manifest
from hf_grok.series.verify.local import verify_folder
from tests.series.material import save_checkpoint
from tests.series.vanilla import BLOCKED, save_vanilla, tiny_vanilla

ALONE = (
    BLOCKED
    + """
import torch
from safetensors.torch import load_file, save_file
import modeling_vanilla_transformer as alone

config = alone.VanillaTransformerConfig.from_pretrained("saved")
model = alone.VanillaTransformerForCausalLM(config).eval()
model.load_state_dict(load_file("saved/model.safetensors"))
ids = torch.arange(8).reshape(2, 4)
with torch.no_grad():
    logits = model(ids).logits
    model.set_attn_implementation("eager")
    attentions = model(ids, output_attentions=True).attentions[-1]
save_file({"logits": logits, "attentions": attentions.contiguous()}, "found.safetensors")
for wrong in ({"hidden_size": 7}, {"num_hidden_layers": "two"}):
    try:
        alone.VanillaTransformerConfig(**wrong)
    except Exception as error:
        print(type(error).__name__, next(iter(wrong)) in str(error))
assert not [name for name in sys.modules if name.startswith("hf_grok")]
"""
)


def series_of(run: Path, code: bool) -> RunSeries:
    fix = published_config_with_code if code else published_config
    return RunSeries(run, RevisionTemplate("step{step}"), fix=fix)


def staged_step(run: Path, step: int) -> dict[str, Path]:
    return {path.name: path for path in (run / "series" / "staged" / f"step{step}").iterdir()}


@pytest.mark.slow
def test_it_works_where_there_is_no_hf_grok(tmp_path: Path) -> None:
    model = tiny_vanilla()
    model.save_pretrained(tmp_path / "saved")
    (tmp_path / MODEL_CODE_FILE).write_text(model_code())
    program = "import sys; sys.path.insert(0, '.')\n" + ALONE
    done = subprocess.run(
        [sys.executable, "-W", "error::SyntaxWarning", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # The second: the fields' types are still checked, which strings of annotations would not be.
    assert done.stdout.split() == [
        "UserError",
        "True",
        "StrictDataclassFieldValidationError",
        "True",
    ]
    found = load_file(tmp_path / "found.safetensors")
    ids = torch.arange(8).reshape(2, 4)
    with torch.no_grad():
        assert torch.equal(found["logits"], model(ids).logits)
        model.set_attn_implementation("eager")
        attentions = model(ids, output_attentions=True).attentions[-1]
    assert torch.equal(found["attentions"], attentions)


def test_what_the_file_is() -> None:
    text = model_code()
    tree = ast.parse(text)
    defined = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    assert {name.partition(".")[2] for name in AUTO_MAP.values()} <= defined
    assert {f"{name.partition('.')[0]}.py" for name in AUTO_MAP.values()} == {MODEL_CODE_FILE}
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert not [name for name in imported if name.startswith("hf_grok")]
    assert text.startswith("# The vanilla transformer of hf-grok 0.")
    assert "SPDX-License-Identifier: Apache-2.0" in text
    assert "unknown_name" not in text
    assert all(len(line) <= 100 for line in text.splitlines())


def test_the_same_bytes_for_the_same_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    text = model_code()
    model_code.cache_clear()
    assert model_code() == text
    original = bundler.packaged_source("hf_grok.models.layers")
    other = bundler.bundle(
        "hf_grok.models.modeling_vanilla_transformer",
        lambda name: (
            original.replace("post-LN", "POST-LN")
            if name.endswith("layers")
            else bundler.packaged_source(name)
        ),
    )
    assert "POST-LN" in other
    assert other.replace("POST-LN", "post-LN") in text


def test_a_step_with_code(tmp_path: Path) -> None:
    record = series_of(tmp_path, code=True).add(2, save_vanilla(tmp_path, 2), StepValues())
    files = staged_step(tmp_path, 2)
    assert [name for name in files if name.endswith(".py")] == [MODEL_CODE_FILE]
    assert files[MODEL_CODE_FILE].read_text() == model_code()
    assert MODEL_CODE_FILE in record.files
    manifest = Manifest.from_json(files["series.json"].read_text(), "series.json")
    assert manifest.files == record.files
    card = files["README.md"].read_text()
    assert "from_pretrained(repo, revision=step, trust_remote_code=True)" in card
    assert f"The model's class is in {MODEL_CODE_FILE}" in card
    assert "import hf_grok" not in card
    assert verify_folder(tmp_path, quiet=True).problems == ()
    files[MODEL_CODE_FILE].write_text("raise SystemExit")
    assert [p.kind for p in verify_folder(tmp_path, quiet=True).problems] == ["altered"]


def test_with_hf_grok_nothing_of_the_repository_is_run(tmp_path: Path) -> None:
    series_of(tmp_path, code=True).add(2, save_vanilla(tmp_path, 2), StepValues())
    code = staged_step(tmp_path, 2)[MODEL_CODE_FILE]
    code.write_text("raise SystemExit")
    for trust in (None, True):
        loaded = AutoModelForCausalLM.from_pretrained(code.parent, trust_remote_code=trust)
        assert type(loaded) is VanillaTransformerForCausalLM


def test_a_step_without(tmp_path: Path) -> None:
    """Nor does it name code, as one that began with a revision that carries some would."""
    folder = save_vanilla(tmp_path, 2)
    config = VanillaTransformerConfig.from_pretrained(folder)
    config.auto_map = AUTO_MAP
    config.save_pretrained(folder)
    series_of(tmp_path, code=False).add(2, folder, StepValues())
    files = staged_step(tmp_path, 2)
    assert "auto_map" not in files["config.json"].read_text()
    assert not [name for name in files if name.endswith(".py")]
    card = files["README.md"].read_text()
    assert "import hf_grok.models" in card
    assert "trust_remote_code" not in card


def test_stock_classes_get_nothing(tmp_path: Path) -> None:
    series_of(tmp_path, code=True).add(2, save_checkpoint(tmp_path, 2), StepValues())
    files = staged_step(tmp_path, 2)
    assert MODEL_CODE_FILE not in files
    assert "auto_map" not in files["config.json"].read_text()
    assert "trust_remote_code" not in files["README.md"].read_text()


def test_code_that_is_asked_for_later(tmp_path: Path) -> None:
    without = series_of(tmp_path, code=False)
    for step in (0, 2):
        without.add(step, save_vanilla(tmp_path, step), StepValues())
    before = without.journal.records()
    asked = series_of(tmp_path, code=True)
    asked.agree_on_code()
    asked.agree_on_code()
    for step, record in asked.journal.records().items():
        assert record.weights == before[step].weights
        assert staged_step(tmp_path, step)[MODEL_CODE_FILE].read_text() == model_code()
    assert verify_folder(tmp_path, quiet=True).problems == ()
    assert sorted(path.name for path in (tmp_path / "series" / "staged").iterdir()) == [
        "step0",
        "step2",
    ]
    with pytest.raises(SeriesError, match=r"step0 carries its model's code.*--ship-code"):
        series_of(tmp_path, code=False).agree_on_code()


def test_code_that_is_asked_for_too_late(tmp_path: Path) -> None:
    series = series_of(tmp_path, code=False)
    record = series.add(2, save_vanilla(tmp_path, 2), StepValues())
    series.journal.append(replace(record, state=State.PUSHED, repository="grower/series"))
    series.agree_on_code()
    with pytest.raises(SeriesError, match="step2 is on grower/series without its model's code"):
        series_of(tmp_path, code=True).agree_on_code()


def test_only_the_very_map_counts() -> None:
    assert ships_code({"auto_map": dict(AUTO_MAP)})
    assert not ships_code({})
    assert not ships_code({"auto_map": {**AUTO_MAP, "AutoModel": f"a/b--{AUTO_MAP['AutoModel']}"}})

"""docs/paper_index.md lists every value of every shipped recipe, as the recipe has it."""

from __future__ import annotations

from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
INDEX = ROOT / "docs" / "paper_index.md"


def shipped() -> dict[str, dict[str, object]]:
    """ "LANGUAGE SCALE" -> key -> value, the options of a model under names of their own."""
    found = {}
    for path in sorted((ROOT / "hf_grok" / "recipes").rglob("*.yaml")):
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        for group in ("model_options", "language_options"):
            values |= values.pop(group, {})
        found[f"{path.parent.name} {path.stem}"] = values
    return found


def cell(value: object) -> str:
    """A value as the table writes it; "" where the recipe leaves it alone."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {cell(inner)}" for key, inner in value.items())
    if isinstance(value, float) and 0 < value < 1e-3:
        mantissa, exponent = f"{value:.3e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return "" if value is None else str(value)


def rows() -> list[str]:
    """The table's rows without their last column: where the value comes from."""
    recipes = shipped()
    keys = list(dict.fromkeys(key for values in recipes.values() for key in values))
    lines = [["value", *recipes], ["---"] * (len(recipes) + 1)]
    lines += [[f"`{key}`", *(cell(recipes[name].get(key)) for name in recipes)] for key in keys]
    return ["| " + " | ".join(line) + " |" for line in lines]


def test_every_value_of_every_recipe_is_listed_with_its_source() -> None:
    listed = INDEX.read_text(encoding="utf-8").splitlines()
    for row in rows():
        found = [line for line in listed if line.startswith(row)]
        assert found, f"docs/paper_index.md lacks the row, followed by its source:\n{row}"
        assert found[0].removeprefix(row).strip(" |"), f"this row names no source:\n{row}"


def test_no_row_is_left_of_a_value_that_no_recipe_has() -> None:
    text = INDEX.read_text(encoding="utf-8")
    table = text.partition("| value |")[2].partition("\n\n")[0].splitlines()[2:]
    assert [line.split(" | ")[0].strip("| ") for line in table] == [
        row.split(" | ")[0].strip("| ") for row in rows()[2:]
    ]


def test_cells_are_written_plainly() -> None:
    assert cell(1e-4) == "1e-4"
    assert cell(8.542713567839196e-05) == "8.543e-5"
    assert cell(0.1) == "0.1"
    assert cell(False) == "False"
    assert cell({"lr_end": 0.5, "power": 1.0}) == "lr_end 0.5, power 1.0"
    assert cell(None) == ""

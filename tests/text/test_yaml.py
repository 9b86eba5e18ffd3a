"""YAML of strangers: plain values, bounded, each refusal with its line."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from hf_grok.errors import UserError
from hf_grok.text.yaml_reading import parse_yaml, read_yaml


def doubled(levels: int, fan: int = 9) -> str:
    """Aliases nested `levels` deep: fan ** levels values of a few lines."""
    lines = ["a0: &a0 [" + ",".join("x" * fan) + "]"]
    lines += [
        f"a{level}: &a{level} [{','.join([f'*a{level - 1}'] * fan)}]" for level in range(1, levels)
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (doubled(9), "f:6: its aliases make more than 100,000 values of it"),
        (doubled(90, fan=1), "f:41: nested more than 40 deep"),
        ("a: &a [1, *a]", "f:1: an alias stands inside what it names"),
        ("[" * 99_000, "f:1: nested more than 40 deep"),
        ("- " * 99_000, "f:1: nested more than 40 deep"),
        ("a: 1\nb: 2\na: 3", "f:3: the key 'a' stands twice"),
        ("a: " + "9" * 5_000, "f:1: a whole number of 5,000 digits"),
        ("a:\n- 0x" + "f" * 5_000, "f:2: a whole number of 5,002 digits"),
        ("a: .inf", "f:1: '.inf': expected a finite number"),
        ("a: .nan", "f:1: '.nan': expected a finite number"),
        ("a: 1.0e+999", "f:1: '1.0e+999': expected a finite number"),
        ("a: !!python/object/apply:os.system [x]", "f:1: 'tag:yaml.org,2002:python/object/apply"),
        ("a: !!binary aGk=", "is no plain value"),
        ("? [a, b]\n: 1", "f:1: a key that is a list or a mapping"),
        ("a: b: c", "f:1: not YAML: mapping values are not allowed"),
        ("a: 1\n--- \nb: 2", "not YAML: but found another document"),
        ("a: *b", "f:1: not YAML: found undefined alias"),
        ("a: \x1b", "f: not YAML: control characters are not allowed"),
        ("x" * 300_000, "f: more than 262,144 characters of YAML"),
    ],
)
def test_refused_in_one_line_with_its_place(text: str, told: str) -> None:
    with pytest.raises(UserError) as caught:
        parse_yaml(text, "f")
    assert told in str(caught.value)
    assert len(str(caught.value)) <= 500


def test_schedules_and_days_are_text() -> None:
    text = "a: 0:0.1\nb: 1:30\nc: 2026-01-02\nd: 010\ne: 1_000\nf: 2.5\ng: no\nh: =\ni:"
    assert parse_yaml(text, "f") == {
        **{"a": "0:0.1", "b": "1:30", "c": "2026-01-02", "d": "010", "e": 1_000, "f": 2.5},
        **{"g": False, "h": "=", "i": None},
    }


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("1e-4", 1e-4), ("3E-4", 3e-4), ("-2e+3", -2e3), ("1e6", 1e6), ("1_0e2", 1e3)),
        *(("1.5e3", 1.5e3), ("2.e-1", 0.2), (".5e1", 5.0), ("-.5", -0.5), ("1.0e-7", 1e-7)),
    ],
)
def test_exponents_need_neither_a_point_nor_a_sign(text: str, number: float) -> None:
    found = parse_yaml(f"a: [{text}, '{text}', {text}x]", "f")["a"]
    assert found == [number, text, f"{text}x"]
    assert type(found[0]) is float


def test_aliases_and_merged_keys_are_read_as_the_safe_loader_reads_them() -> None:
    text = "a: &a {x: 1, y: [1, 2.0, null]}\nb: {<<: *a, x: 3}\nc: [*a, *a, 'é', \"\\u20ac\"]"
    assert parse_yaml(text, "f") == yaml.safe_load(text)
    assert parse_yaml("# nothing", "f") is None


def test_every_shipped_file_is_read_as_the_safe_loader_reads_it() -> None:
    package = Path(__file__).parent.parent.parent / "hf_grok"
    files = [*package.glob("recipes/**/*.yaml"), *package.glob("sweeps/*.yaml")]
    assert len(files) > 10
    for file in files:
        assert read_yaml(file) == yaml.safe_load(file.read_text(encoding="utf-8")), file


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(b"layers: 2\nmodel: g\xe9pt\n")
    with pytest.raises(UserError, match=r"recipe\.yaml:2: expected UTF-8 text"):
        read_yaml(file)
    file.write_bytes(b"\xef\xbb\xbflayers: 2\r\n")
    assert read_yaml(file) == {"layers": 2}

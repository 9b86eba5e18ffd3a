from __future__ import annotations

import sys

import pytest

from hf_grok._optional import import_optional
from hf_grok.errors import UserError


def test_an_installed_module_is_imported() -> None:
    assert (
        import_optional("json.decoder", extra="report", purpose="tests")
        is sys.modules["json.decoder"]
    )


def test_a_missing_package_names_the_extra() -> None:
    with pytest.raises(UserError) as caught:
        import_optional("no_such_package.part", extra="report", purpose="figures")
    assert str(caught.value) == (
        'figures need no_such_package, which is not installed: pip install "hf-grok[report]"'
    )


def test_an_import_that_fails_inside_a_package_is_not_hidden(tmp_path, monkeypatch) -> None:
    (tmp_path / "broken_package.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        import_optional("broken_package", extra="report", purpose="tests")

"""How every command reads its options."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any


class OptionParser(argparse.ArgumentParser):
    """ArgumentParser that takes a word for what it says, or refuses it.

    - An option is written in full: `--seed` never stands for `--seeds`.
    - Hyphens and underscores are the same: `--wait_seconds` is `--wait-seconds`.
    - An option of one value is given once: of two values, neither wins without a word.
    """

    def __init__(self, **named: Any) -> None:
        named.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**{**named, "allow_abbrev": False})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """ArgumentParser's, of words that are spelt as the options are and stand once."""
        words = sys.argv[1:] if args is None else args
        return super().parse_known_args(self._as_spelt(list(words)), namespace)

    def _as_spelt(self, words: Sequence[str]) -> list[str]:
        spelt, given = [], set()
        for word in words:
            written, equals, value = word.partition("=")
            known = self._option_string_actions
            option = written if written in known else "--" + written[2:].replace("_", "-")
            action = known.get(option) if written.startswith("--") else None
            if action is None:
                spelt.append(word)
                continue
            if isinstance(action, argparse._StoreAction) and action.dest in given:
                self.error(f"{option} is given twice: say it once")
            given.add(action.dest)
            spelt.append(option + equals + value)
        return spelt

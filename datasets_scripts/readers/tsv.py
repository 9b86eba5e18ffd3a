"""Read `SENTENCE . task<TAB>ANSWER` files and recover what the grammar says of every line."""

from __future__ import annotations

from collections.abc import Iterator

from hf_grok.datasets_scripts.grammar.parser import Parser
from hf_grok.datasets_scripts.grammar.task_language import Example, Language
from hf_grok.datasets_scripts.readers.bad_lines import BadLines
from hf_grok.errors import UserError, unknown_name
from hf_grok.text.files import Line, read_lines
from hf_grok.text.printable import quoted


class Reader:
    """Examples from files, each line checked against the grammar and its answer.

    Args:
        language: whose lines they are.
        rule: the rule that the answers follow.
    """

    def __init__(self, language: Language, rule: str) -> None:
        self.language = language
        self.rule = rule
        self._parser = Parser(language.grammar)

    def examples(self, file: str, bad: BadLines | None = None) -> Iterator[Example]:
        """The examples of a file, in its order.

        Args:
            file: its path.
            bad: counts the lines that are no example and leaves them out, if it is to skip them;
                by default the first one ends the reading.

        Raises:
            UserError: with file:line, for a line without its one tab, an unknown task word, a word
                outside the lexicon, an ungrammatical sentence, or an answer that is not the rule's.
        """
        bad = bad or BadLines()
        for line in read_lines(file, flawed=True):
            try:
                if line.flaw is not None:
                    raise line.flaw
                yield self._read(line)
            except UserError as error:
                bad.meet(error)

    def _read(self, line: Line) -> Example:
        try:
            return self.example(line.text)
        except UserError as error:
            raise line.error(str(error)) from None

    def example(self, line: str) -> Example:
        """One line, without its line break.

        Raises:
            UserError: see `examples`.
        """
        source, target = _columns(line)
        *words, task = source.split(" ")
        if task not in self.language.tasks:
            raise unknown_name("task word at the end of the source", task, self.language.tasks)
        example = Example(task, tuple(words), self._parser.parse(words), self.rule)
        self._check_answer(example, target)
        return example

    def _check_answer(self, example: Example, target: str) -> None:
        expected = self.language.answer(example)
        if target == expected:
            return
        others = [rule for rule in self.language.rules if rule != self.rule]
        hint = "".join(
            f" It is the answer of the rule {rule!r}: read the file with the config {rule!r}."
            for rule in others
            if self.language.answer(example._replace(rule=rule)) == target
        )
        raise UserError(
            f"the target {quoted(target)} is not the answer of the rule {self.rule!r}; "
            f"expected {quoted(expected)}.{hint}"
        )


def _columns(line: str) -> tuple[str, str]:
    columns = line.split("\t")
    if len(columns) != 2:
        raise UserError(
            f"expected SOURCE<TAB>TARGET, got a line with {len(columns) - 1} tabs: {quoted(line)}"
        )
    return columns[0], columns[1]

"""`hf-grok data LANGUAGE --out DIR [--push REPO]`: generate a language, or read its files."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from hf_grok._option_parser import OptionParser
from hf_grok.commands.data.config_options import add_config_options
from hf_grok.commands.data.push import add_push_options, take_push_options, write_and_push
from hf_grok.errors import UserError
from hf_grok.languages import brought_language, known_languages, language

if TYPE_CHECKING:
    from hf_grok.datasets_scripts.builder.base import GrammarBuilder
    from hf_grok.datasets_scripts.export.parquet import Export

_EXAMPLES = """\
examples:
  hf-grok data question-formation --out data/questions
      the published sizes: 100,000 training lines, ambiguous between two rules
  hf-grok data tense-inflection --out data/tense --config main --train-size 5000 --seed 1
      training data that settle the rule, fewer lines, other draws
  hf-grok data dyck --out data/dyck --brackets 3 --max-depth 5
      another Dyck language
  hf-grok data agreement --out data/agreement --train-size 50000
      sentences for masked language models, with heads, relations and trees
  hf-grok data minimal-pairs --out data/pairs --pairs-per-paradigm 200
      pairs of a good and a bad sentence of the same grammar, in BLiMP's fields
  hf-grok data question-formation --out data/real --data-files train=a.tsv generalization=b.tsv
      files of SENTENCE . task<TAB>ANSWER lines, parsed to recover trees and heads
  hf-grok data dyck --push my-dyck
      on the Hub, private unless you add --public; the token is HF_TOKEN or hf auth login's

Then, in Python, with no code of hf-grok: datasets.load_dataset("data/questions")."""

_WIDTH = 96


def main(arguments: Sequence[str]) -> int:
    """Write one data set and say what was written.

    Raises:
        UserError: an unknown language, config or split; sizes that the language cannot fill; an
            output folder that holds something else or cannot be written; a push that failed.
    """
    name = overview().parse_args(arguments[:1]).language
    if name == "parse":
        from hf_grok.commands.data import parse as data_parse

        return data_parse.run(arguments[1:])
    if name == "trees":
        from hf_grok.commands.data import trees

        return trees.run(arguments[1:])
    builder_class = language(name).builder_class()
    parser = language_parser(name, builder_class)
    options = vars(parser.parse_args(arguments[1:]))
    wanted = take_push_options(parser, options)
    print(write_and_push(wanted, options, partial(_write, builder_class), summary))
    return 0


def overview() -> OptionParser:
    """The parser of the language's name, and the help that lists the languages."""
    lines = [f"  {name:<20}{described(name)}" for name in known_languages()]
    parser = OptionParser(
        prog="hf-grok data",
        usage="hf-grok data LANGUAGE --out DIR [options]",
        description="Write a synthetic language as Parquet files with a card: columns of gold\n"
        "structure, splits that tell rules apart, minimal pairs.\n\nlanguages:\n"
        + "\n".join(lines)
        + "\n\nor annotate a text of your own: hf-grok data parse --text FILE --parser spacy:NAME"
        "\nor read a treebank's gold trees: hf-grok data trees --ptb FILE --conllu FILE",
        epilog=f"`hf-grok data LANGUAGE --help` lists a language's options.\n\n{_EXAMPLES}",
    )
    parser.add_argument("language", metavar="LANGUAGE", help="one of the languages above")
    return parser


def described(name: str) -> str:
    """A language's title, with the package of one that is not ours, or why it cannot be had."""
    try:
        found = brought_language(name)
    except UserError as error:
        return f"({error})"
    title = found.thing.card.title
    return title if found.is_ours else f"{title} ({found})"


def language_parser(name: str, builder_class: type[GrammarBuilder]) -> OptionParser:
    """The options of one language, from its config class and its named configs."""
    from hf_grok.datasets_scripts.export.parquet import own_fields

    parser = OptionParser(
        prog=f"hf-grok data {name}",
        usage=f"hf-grok data {name} --out DIR [--push REPO] [options]",
        description=textwrap.fill(language(name).card.summary, _WIDTH),
        epilog=_config_help(builder_class),
    )
    parser.add_argument(
        "--out", metavar="DIR", help="folder to write to; may be left out with --push"
    )
    add_push_options(parser)
    parser.add_argument(
        "--config", metavar="NAME", help="a named configuration; they are listed below"
    )
    if reads_files(builder_class):
        parser.add_argument(
            "--data-files",
            nargs="+",
            default=[],
            metavar="SPLIT=FILE",
            help="read these files instead of generating; repeat a split to give it several files",
        )
    parser.add_argument(
        "--overwrite", action="store_true", help="write beside files that are no export of ours"
    )
    parser.add_argument(
        "--num-proc", type=int, metavar="N", help="processes that generate; the data is the same"
    )
    parser.add_argument("--cache-dir", metavar="DIR", help="where `datasets` keeps prepared data")
    config_class = builder_class.BUILDER_CONFIG_CLASS
    default = _named_configs(builder_class)[builder_class.DEFAULT_CONFIG_NAME]
    add_config_options(parser, config_class, own_fields(config_class), default)
    return parser


def reads_files(builder_class: type[GrammarBuilder]) -> bool:
    """Whether a builder can read files instead of generating."""
    from hf_grok.datasets_scripts.builder.base import GrammarBuilder

    return builder_class.read_rows is not GrammarBuilder.read_rows


def read_data_files(given: Sequence[str]) -> dict[str, list[str]]:
    """Split -> files, from words like `train=a.tsv`.

    Raises:
        UserError: a word without a split or a file.
    """
    files: dict[str, list[str]] = {}
    for word in given:
        split, separator, file = word.partition("=")
        if not (split and separator and file):
            raise UserError(f"--data-files {word!r}: expected SPLIT=FILE, such as train=train.tsv")
        files.setdefault(split, []).append(file)
    return files


def summary(written: Export) -> str:
    """What was written, a line of each split, and how to load it."""
    sizes = {file: (written.folder / file).stat().st_size for file in written.files}
    rows = [f"  {file:<52}{size / 1e6:>9.2f} MB" for file, size in sizes.items()]
    lines = [
        textwrap.shorten(f"  {split.name}: {split.example}", _WIDTH, placeholder=" ...")
        for split in written.card.splits
    ]
    counts = ", ".join(f"{split.name} {split.examples:,}" for split in written.card.splits)
    return "\n".join(
        [
            f"wrote {written.folder}: {written.card.language.title}, {written.card.config}",
            *rows,
            f"examples: {counts}",
            *(f"  {line}" for line in lines),
            f'load with: datasets.load_dataset("{written.folder}", "{written.card.config}")',
        ]
    )


def _write(builder_class: type[GrammarBuilder], options: dict[str, Any]) -> Export:
    from hf_grok.datasets_scripts.export.parquet import export

    folder, overwrite = options.pop("out"), options.pop("overwrite")
    processes, config = options.pop("num_proc"), options.pop("config")
    if processes is not None and processes < 1:
        raise UserError(f"--num-proc must be at least 1, got {processes}")
    files = read_data_files(options.pop("data_files", ()))
    try:
        builder = builder_class(config, data_files=files or None, **options)
        return export(builder, folder, overwrite=overwrite, num_proc=processes)
    except OSError as error:
        raise UserError(f"could not write the data set: {error}") from error


def _named_configs(builder_class: type[GrammarBuilder]) -> Mapping[str, Any]:
    return {config.name: config for config in builder_class.BUILDER_CONFIGS}


def _config_help(builder_class: type[GrammarBuilder]) -> str:
    from hf_grok.datasets_scripts.export.parquet import own_fields

    configs = _named_configs(builder_class)
    default = configs[builder_class.DEFAULT_CONFIG_NAME]
    fields = [field.name for field in own_fields(builder_class.BUILDER_CONFIG_CLASS)]
    lines = ["named configurations:"]
    for name, config in configs.items():
        changed = [
            f"--{field.replace('_', '-')} {getattr(config, field)}"
            for field in fields
            if getattr(config, field) != getattr(default, field)
        ]
        lines.append(f"  {name:<12}{' '.join(changed) or 'the defaults above'}")
    return "\n".join(lines)

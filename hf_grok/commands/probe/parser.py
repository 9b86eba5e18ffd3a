"""The options of `hf-grok probe`, by what they choose."""

from __future__ import annotations

import argparse
from pathlib import Path

from hf_grok._option_parser import OptionParser
from hf_grok.runs.folder import RESULTS_FILE

_DESCRIPTION = """\
Measure what a model does on a language (question_formation, tense_inflection,
dyck: accuracy in and out of distribution; loss), and what happens inside it:
attention to syntactic heads, tree structure, sparsity, weight norms, intrinsic
dimension, minimal pairs. MODEL is a folder with a model, a run's folder (all its
checkpoints), or a Hub repository (its step* revisions, or --revision). Results are
a row per (revision, probe, metric), written after every probe: run the same command
again to go on where it stopped."""

_EXAMPLES = """\
examples:
  hf-grok probe me/my-series --probes question_formation
      accuracy in and out of distribution, at every step* revision of a Hub repository
  hf-grok probe runs/demo --data question-formation --where task=quest --sample 100 --probes tree
      every checkpoint of a run; what is there already is not computed again
  hf-grok probe bert-base-uncased --data en_ewt-ud-dev.conllu --probes uas,sparsity
      a model of the Hub on a treebank, UAS beside its fixed-offset baselines
  hf-grok probe runs/base --data parsed/books,split=train --sample 500 --probes uas
      on what hf-grok data parse wrote; of the Hub: user/name,config=en,split=dev,revision=v1
  hf-grok probe me/my-series --data uas=dev.conllu --data pairs=blimp/ --probes uas,pairs,norm
      every step* revision of a Hub repository, each probe over data of its own
  hf-grok probe runs/my-run --data minimal-pairs --sample 4000 --probes pairs --steps last
      the end of a run on more pairs than the run itself takes; `hf-grok report` uses it
  hf-grok probe my-gpt2 --data dev.conllu --probes uas --add-start
      a tokenizer that puts no start token in front"""


def build_parser() -> OptionParser:
    """The options of `hf-grok probe`."""
    parser = OptionParser(prog="hf-grok probe", description=_DESCRIPTION, epilog=_EXAMPLES)
    parser.add_argument("model", metavar="MODEL", nargs="?", help="folder or Hub repository")
    _add_probes(parser.add_argument_group("probes and results"))
    _add_checkpoints(parser.add_argument_group("which checkpoints"))
    _add_data(parser.add_argument_group("data"))
    _add_rows(parser.add_argument_group("which rows of the data"))
    return parser


def _add_probes(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--probes", metavar="NAMES", help="names with commas between them; --list shows them")
    add(
        "--option",
        action="append",
        default=[],
        metavar="PROBE.NAME=VALUE",
        help="an argument of a probe's class, such as uas.selection=same; repeatable",
    )
    add(
        "--out",
        type=Path,
        metavar="FILE",
        help=f"where results go (default: {RESULTS_FILE}, in MODEL if that is a folder)",
    )
    add("--list", action="store_true", help="name the probes and exit")


def _add_checkpoints(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add("--revision", help="one branch, tag or commit of a Hub repository")
    add(
        "--revisions",
        metavar="REGEX",
        help="names of a repository's steps, with one group for the step: 'run-(\\d+)-ema'",
    )
    add("--steps", metavar="STEPS", help='of a series: "last", or steps with commas between them')


def _add_data(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--data",
        action="append",
        default=[],
        metavar="[PROBE=]SOURCE",
        help="a .conllu or .ptb treebank, .jsonl minimal pairs, .parquet rows (a folder or a "
        "quoted pattern of them), a data set (folder or Hub name) or a language that `hf-grok data "
        "--help` lists, minimal-pairs among them (dyck:k20-m10 in that configuration, else as the "
        "run MODEL had it); behind it ,config=NAME ,split=NAME ,revision=NAME (of a data set) and "
        ",scheme=NAME (of the heads, where no annotation.json says) ,relations=ud (ClearNLP's "
        "relations by UD's names); with PROBE= for that probe alone; repeatable. "
        "Behaviours are measured on their own language by default",
    )
    add(
        "--split",
        help="of data whose source names none (default: test; of behaviours test, the numbers "
        "in_distribution_*, and generalization; of losses validation)",
    )
    add("--allow-unknown", action="store_true", help="words that the tokenizer does not know stay")
    add("--add-start", action="store_true", help="put the tokenizer's start token in front")


def _add_rows(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    add(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only rows that have this value, such as task=quest; repeatable",
    )
    add(
        "--max-words",
        type=int,
        metavar="N",
        help="leave out rows of more words, such as those too long for the model; how many is said",
    )
    add("--sample", type=int, metavar="N", help="at most N rows, drawn by --seed")
    add("--seed", type=int, default=0, help="draws the sample (default: 0)")
    add(
        "--skip-bad-lines",
        action="store_true",
        help="of a file with wrong lines: leave them out (of a treebank: their sentences) and say "
        "how many, instead of ending at the first",
    )

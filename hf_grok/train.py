"""Train a recipe: `hf-grok train RECIPE`, or `accelerate launch -m hf_grok.train RECIPE`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hf_grok._option_parser import OptionParser

if TYPE_CHECKING:
    from hf_grok.recipes.branch import Branch
    from hf_grok.recipes.recipe import Settings

DESCRIPTION = """Train a model on a language and watch it generalise.

RECIPE is a shipped recipe's name or a YAML file. Every value of a recipe can be overridden:

  hf-grok train question-formation                       # minutes on a CPU
  hf-grok train question-formation --seed 3 --layers 4
  hf-grok train dyck --scale paper                       # the published setting
  hf-grok train sas-mlm --scale english --data FOLDER    # what hf-grok data parse wrote
  hf-grok train my-recipe.yaml --model gpt2
  hf-grok train question-formation --resume              # go on after a kill
  hf-grok train sas-mlm --from-checkpoint 1000 --sas_schedule 0:0    # let go at step 1,000
  accelerate launch -m hf_grok.train question-formation  # a process a GPU
  torchrun --nproc_per_node 2 -m hf_grok.train question-formation    # without GPUs

A branch (--from-checkpoint) goes on from a checkpoint of another run as that run would have gone
on: weights, optimiser, learning rate, random numbers and data order. What that run was told holds
for it too, unless it is said anew; where its folder is named, RECIPE need not be. It keeps the
model, the data, the seed and the batch, may change the regulariser (--sas_...) and the length, and
lives in a folder of its own (default runs/RECIPE-SCALE-seedN-fromSTEP), whose tables begin with the
other run's.

--resume goes on with a run as it was begun, to the same bytes: what it was told need not be said
again, and another number of processes, data, model or batch are refused.

A run leaves run.json, metrics.jsonl, checkpoint-N/ and the final model in --output_dir
(default runs/RECIPE-SCALE-seedN); `hf-grok report RUN` draws it.
"""


def build_parser() -> OptionParser:
    """Options that are not values of the recipe."""
    parser = OptionParser(
        prog="hf-grok train",
        description=DESCRIPTION,
        epilog="`hf-grok train --list` names the recipes, `--options` every value and its meaning.",
    )
    parser.add_argument("recipe", nargs="?", help="name of a shipped recipe, or a .yaml file")
    parser.add_argument("--scale", help="quick (default), laptop, english or paper")
    parser.add_argument(
        "--resume", action="store_true", help="go on from the run's last whole checkpoint"
    )
    parser.add_argument(
        "--from-checkpoint",
        metavar="STEP|FOLDER",
        help="branch off a checkpoint: a step of the recipe's default run, or RUN/checkpoint-STEP",
    )
    parser.add_argument(
        "--parent", metavar="RUN", help="the run that --from-checkpoint STEP is a step of"
    )
    parser.add_argument(
        "--reset-optimizer",
        action="store_true",
        help="with --from-checkpoint: start the optimiser's moments afresh (a control)",
    )
    parser.add_argument(
        "--allow-other-processes",
        action="store_true",
        help="with --resume: go on with another number of processes than before (another run, "
        "from there on: run.json says so)",
    )
    parser.add_argument("--list", action="store_true", help="name the shipped recipes and exit")
    parser.add_argument(
        "--options", action="store_true", help="describe every value of a recipe and exit"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Train one recipe; returns the exit status."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    chosen, overrides = parser.parse_known_args(words)
    from hf_grok.packages import packages_of
    from hf_grok.recipes import recipe as recipes

    if chosen.list:
        for name, scales in recipes.shipped_recipes().items():
            offered = ", ".join(scale for one in scales for scale in one.thing)
            print(f"{name:<22}{offered}{packages_of(scales)}")
        return 0
    if chosen.options:
        print(recipes.describe_options())
        return 0
    from hf_grok.recipes.going_on import chosen_branch, inheritance, name_recipe
    from hf_grok.recipes.launched import check_launched

    own = name_recipe(parser, chosen, words, overrides)
    check_launched()
    recipe = recipes.load_recipe(chosen.recipe, chosen.scale)
    default = recipe.values.get("output_dir") or recipes.default_output(recipe, own)
    branch = chosen_branch(chosen, default)
    suffix = branch.suffix if branch else ""
    folder = Path(own["output_dir"][0] if own.get("output_dir") else default + suffix)
    told, inherited = inheritance(recipe, folder, branch, resume=chosen.resume)
    kept = {name: values for name, values in inherited.items() if name not in own}
    if kept and int(os.environ.get("RANK", "0")) == 0:
        print(f"as {told} was told: {' '.join(recipes.on_the_line(kept))}", file=sys.stderr)
    settings = recipes.parse(recipe, overrides, suffix=suffix, inherited=inherited)
    run(
        settings,
        resume=chosen.resume,
        branch=branch,
        other_processes=chosen.allow_other_processes,
    )
    return 0


def run(
    settings: Settings,
    *,
    resume: bool = False,
    branch: Branch | None = None,
    other_processes: bool = False,
) -> Path:
    """Train `settings` to the end and return the run's folder.

    Args:
        settings: what is run.
        resume: go on from the last whole checkpoint in the run's folder.
        branch: the checkpoint of another run to begin from.
        other_processes: resume even with another number of processes than before.

    Raises:
        UserError: bad values; a folder with another run in it; a loss that is not finite; a
            checkpoint that cannot be written; a run that does not continue its parent.
    """
    from hf_grok.recipes.session import Session

    session = Session(settings, resume=resume, branch=branch, other_processes=other_processes)
    return session.train()


if __name__ == "__main__":
    from hf_grok.errors import UserError, refused_by_system
    from hf_grok.text.masked_output import masked_output

    with masked_output():
        try:
            raise SystemExit(main())
        except UserError as error:
            raise SystemExit(f"hf_grok.train: {error}") from error
        except OSError as error:
            if (refusal := refused_by_system(error)) is None:
                raise
            raise SystemExit(f"hf_grok.train: {refusal}") from error

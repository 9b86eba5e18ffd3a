"""Every figure of the reports, drawn into axes of your own: `plot_*(data, ax)` returns `ax`.

Data are groups of runs (`group_runs`), sweeps (`read_sweep`; `read_sweeps` of several and of their
tables), or what stands in one of them. The reports draw with the same functions.
"""

from hf_grok.report.figures.accuracy import plot_accuracies
from hf_grok.report.figures.attention import plot_attention
from hf_grok.report.figures.attention_maps import attention_sheet
from hf_grok.report.figures.breakdown import breakdown_panels, plot_breakdown
from hf_grok.report.figures.depth import depth_series, plot_crossings, plot_depths
from hf_grok.report.figures.early_stopping import plot_early_stopping
from hf_grok.report.figures.loss import plot_losses, plot_weight_norm
from hf_grok.report.figures.projected_trees import pictured_trees
from hf_grok.report.figures.relations import measured_relations, plot_relation
from hf_grok.report.figures.structure import plot_structure, structure_families
from hf_grok.report.figures.trajectory import plot_trajectory, trajectory_parts
from hf_grok.report.figures.trees import plot_tree
from hf_grok.report.groups import group_runs
from hf_grok.report.style.seed_points import plot_seeds
from hf_grok.report.sweep.arrivals import arm_arrivals, arrival_quantities, plot_arrivals
from hf_grok.report.sweep.depths import sweep_depths
from hf_grok.report.sweep.figure import panel_quantities, plot_arms
from hf_grok.report.sweep.runs import read_sweep
from hf_grok.report.sweep.several import read_sweeps

__all__ = [
    "arm_arrivals",
    "arrival_quantities",
    "attention_sheet",
    "breakdown_panels",
    "depth_series",
    "group_runs",
    "measured_relations",
    "panel_quantities",
    "pictured_trees",
    "plot_accuracies",
    "plot_arms",
    "plot_arrivals",
    "plot_attention",
    "plot_breakdown",
    "plot_crossings",
    "plot_depths",
    "plot_early_stopping",
    "plot_losses",
    "plot_relation",
    "plot_seeds",
    "plot_structure",
    "plot_trajectory",
    "plot_tree",
    "plot_weight_norm",
    "read_sweep",
    "read_sweeps",
    "structure_families",
    "sweep_depths",
    "trajectory_parts",
]

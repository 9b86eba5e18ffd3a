"""What the penalty on attention costs: a training step of BERT-base with and without it.

    python benchmarks/arc_attention.py [--quick] [--shapes 4x128 2x512] [--threads 1]
    python benchmarks/arc_attention.py --device cuda
    python benchmarks/arc_attention.py --crossover [--threads 1]

One run compares, on the same weights, tokens and arcs, in turns of a few steps:

- none: no regulariser, transformers' own fused attention ("sdpa");
- fused: the attention on arcs out of the fused kernel, `hf_grok.attention.fused_arcs`;
- batched: from explicit maps, of which each layer keeps its arcs alone;
- eager: the maps of eager attention, all stacked, as one writes it first.

A step is forward, penalty (mean over arcs, both ways, of the maximum over layers and heads),
backward and fused AdamW; dropout is 0. Every arm is a process of its own; one works while the
others wait. Memory is the peak of the process less what it held before the model was made (the
high-water mark of resident memory, Linux only), or of the allocator on CUDA. With several shapes
each has its own processes. `--crossover` times the two arc attentions alone, forward and backward,
by length: what `auto` chooses by on a CPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median

import torch
from pacing import Arm, Pacer
from torch import Tensor, nn
from tqdm import tqdm
from training_step import middle, print_load, print_machine
from transformers import BertConfig, BertForMaskedLM

from hf_grok.attention.arcs import BATCHED, FUSED, batched_arc_attention, fused_arc_attention
from hf_grok.sas.attention.choice import EAGER
from hf_grok.sas.attention.switch import set_arc_attention

IMPLEMENTATIONS = {"none": "sdpa", "fused": FUSED, "batched": BATCHED, "eager": EAGER}
MASKED = 0.15
LENGTHS = (16, 32, 64, 128, 192, 256, 512)
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Work:
    """One step: its size, where it runs, and in what precision."""

    batch: int
    length: int
    layers: int = 12
    width: int = 768
    heads: int = 12
    vocabulary: int = 30522
    device: str = "cpu"
    precision: str = "fp32"

    @property
    def arcs(self) -> int:
        """Pairs a row: every word but the two special tokens has a head, and both ways count."""
        return 2 * (self.length - 2)

    def operations(self) -> tuple[float, float]:
        """Multiply-adds of a step's products, and those that the arcs add, in units of 10^9."""
        tokens = self.batch * self.length
        layer = 12 * self.width**2 + 2 * self.length * self.width
        step = 3 * tokens * (self.layers * layer + self.width * (self.width + self.vocabulary))
        arcs = 3 * self.layers * self.batch * self.arcs * self.width
        return step / 1e9, arcs / 1e9

    def kept_bytes(self) -> tuple[float, float]:
        """What every layer keeps for the penalty, float32: its arcs, and its maps, in MiB."""
        heads = 4 * self.layers * self.batch * self.heads / MEBIBYTE
        return heads * self.arcs, heads * self.length**2


def steps(work: Work, implementation: str) -> Iterator[None]:
    """Train for ever; a step has ended at each `yield`."""
    torch.manual_seed(0)
    model = BertForMaskedLM(config_of(work)).to(work.device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    if implementation != "sdpa":
        set_arc_attention(model, implementation)
    inputs, pairs = batch_of(work)
    autocast = torch.autocast(work.device, torch.bfloat16, enabled=work.precision == "bf16")
    while True:
        with autocast:
            loss = regularised_loss(model, implementation, inputs, pairs)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if work.device == "cuda":
            torch.cuda.synchronize()
        yield


def config_of(work: Work) -> BertConfig:
    return BertConfig(
        vocab_size=work.vocabulary,
        hidden_size=work.width,
        intermediate_size=4 * work.width,
        num_hidden_layers=work.layers,
        num_attention_heads=work.heads,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        attn_implementation="sdpa",
    )


def batch_of(work: Work) -> tuple[dict[str, Tensor], Tensor]:
    """Tokens, of which 15 % are scored; and (attending, attended) for a random head of each."""
    shape = (work.batch, work.length)
    ids = torch.randint(1000 % work.vocabulary, work.vocabulary, shape)
    labels = ids.masked_fill(torch.rand(shape) > MASKED, -100)
    words = torch.arange(1, work.length - 1).expand(work.batch, -1)
    heads = torch.randint(1, work.length - 1, words.shape)
    pairs = torch.cat([torch.stack((words, heads), -1), torch.stack((heads, words), -1)], 1)
    inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "labels": labels}
    return {name: one.to(work.device) for name, one in inputs.items()}, pairs.to(work.device)


def regularised_loss(
    model: nn.Module, implementation: str, inputs: dict[str, Tensor], pairs: Tensor
) -> Tensor:
    """LM loss + mean over arcs of the maximum over layers and heads; none of it for "sdpa"."""
    if implementation == "sdpa":
        return model(**inputs).loss
    if implementation == EAGER:
        output = model(**inputs, output_attentions=True)
        greatest = torch.stack(output.attentions).amax((0, 2))  # [batch, length, length]
        rows = torch.arange(len(pairs), device=pairs.device)[:, None]
        on_arcs = greatest[rows, pairs[..., 0], pairs[..., 1]]
    else:
        output = model(**inputs, output_attentions=True, sas_pairs=pairs)
        on_arcs = torch.stack(output.attentions).amax((0, 2))
    return output.loss + 0.1 * on_arcs.mean()


def train(connection: Connection, work: Work, implementation: str, warm_up: int) -> None:
    """An arm's process: warm up, say how much memory that took, then work in turns."""
    before = held_now()
    loop = steps(work, implementation)
    for _ in range(warm_up):
        next(loop)
    pacer = Pacer(connection, 1, {"threads": torch.get_num_threads(), "peak": peak(work, before)})
    for _ in loop:
        if not pacer.tick():
            return


def peak(work: Work, before: float | None) -> float | None:
    """MiB at the highest, less `before`; None where that is not known."""
    if work.device == "cuda":
        return torch.cuda.max_memory_allocated() / MEBIBYTE
    highest = status("VmHWM")
    return None if highest is None or before is None else highest - before


def held_now() -> float | None:
    return status("VmRSS")


def status(field: str) -> float | None:
    """MiB, from the kernel's account of this process; None on a system without one."""
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.is_file() else []
    found = [int(line.split()[1]) for line in lines if line.startswith(f"{field}:")]
    return found[0] / 1024 if found else None


def compare(work: Work, names: Sequence[str], options: argparse.Namespace) -> None:
    """Run the arms in turns and print their table."""
    threads = {"OMP_NUM_THREADS": str(options.threads)} if options.threads else {}
    environment = {"OMP_WAIT_POLICY": "PASSIVE", **threads}
    arms = []
    # One after the other, so that no warm-up disturbs another's high-water mark or time.
    for name in tqdm(names, desc="warming up", leave=False):
        arguments = (work, IMPLEMENTATIONS[name], options.warm_up)
        arms.append(Arm(name, train, *arguments, environment=environment))
        arms[-1].wait_until_ready()
    print_load()
    for _ in tqdm(range(options.rounds), desc="rounds", leave=False):
        for arm in arms:
            arm.turn(options.steps)
    print_load()
    for arm in arms:
        arm.stop()
    report(work, arms)


def report(work: Work, arms: Sequence[Arm]) -> None:
    step, arcs = work.operations()
    kept, maps = work.kept_bytes()
    print(
        f"a step is {step:.4g} G multiply-adds, the arcs add {arcs:.2g} G; all layers keep for "
        f"the penalty: {kept:.2g} MiB of arcs, or {maps:.4g} MiB of maps"
    )
    times = f"{'ms':>9}{'range of rounds':>19}{'x none':>8}{'CPU ms':>9}{'x none':>8}"
    print(f"{'':<9}{'threads':>8}{times}{'MiB':>8}{'x none':>8}")
    for arm in arms:
        print(row(arm, arms[0]))


def row(arm: Arm, base: Arm) -> str:
    each = [1000 * median(wall for wall, _ in turn) for turn in arm.rounds]
    processor = 1000 * median(cpu for turn in arm.rounds for _, cpu in turn)
    spread = f"{min(each):.0f} - {max(each):.0f}"
    times = f"{1000 * middle(arm):>9.0f}{spread:>19}{ratio(arm, base, 0):>8.2f}"
    times += f"{processor:>9.0f}{ratio(arm, base, 1):>8.2f}"
    memory, of_base = arm.about["peak"], base.about["peak"]
    measured = "" if memory is None else f"{memory:>8.0f}{memory / of_base:>8.2f}"
    return f"{arm.name:<9}{arm.about['threads']:>8}{times}{measured}"


def ratio(arm: Arm, base: Arm, clock: int) -> float:
    """Median over rounds of the ratio within the round: what disturbs a round disturbs both.

    Clock 0 is the wall's; 1 the process's own time, which other processes lengthen less.
    """
    return median(
        median(step[clock] for step in one) / median(step[clock] for step in other)
        for one, other in zip(arm.rounds, base.rounds, strict=True)
    )


class Bidirectional(nn.Module):
    """Stands for the module that an attention function is called by."""

    is_causal = False


def crossover(options: argparse.Namespace) -> None:
    """Forward and backward of the two arc attentions, 12 heads of 64, by length of the rows."""
    if options.threads:
        torch.set_num_threads(options.threads)
    print(
        f"\n{'length':>8}{'precision':>11}{'fused ms':>10}{'batched ms':>12}{'batched / fused':>17}"
    )
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        for length in LENGTHS[:3] if options.quick else LENGTHS:
            fused, batched = turns(
                [once(one, length, dtype) for one in (fused_arc_attention, batched_arc_attention)],
                options.rounds,
            )
            times = f"{1000 * fused:>10.2f}{1000 * batched:>12.2f}{batched / fused:>17.2f}"
            print(f"{length:>8}{precision:>11}{times}", flush=True)


def once(
    attention: Callable[..., tuple[Tensor, Tensor]], length: int, dtype: torch.dtype
) -> Callable[[], None]:
    """A function that runs `attention` on about 1,024 tokens, forward and backward."""
    batch = max(1, 1024 // length)
    states = [
        torch.randn(batch, length, 12, 64, dtype=dtype).transpose(1, 2).requires_grad_()
        for _ in range(3)
    ]
    pairs = torch.randint(0, length, (batch, 2 * length, 2))

    def run() -> None:
        output, alpha = attention(Bidirectional(), *states, None, sas_pairs=pairs)
        gradients = (torch.ones_like(output), torch.ones_like(alpha))
        torch.autograd.grad((output, alpha), states, gradients)

    return run


def turns(functions: Sequence[Callable[[], None]], rounds: int) -> list[float]:
    """Median seconds of each function, run in turns."""
    times: list[list[float]] = [[] for _ in functions]
    for round_ in range(rounds + 1):
        for function, seconds in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            if round_:  # the first warms up
                seconds.append(time.perf_counter() - start)
    return [median(seconds) for seconds in times]


def shape(text: str) -> tuple[int, int]:
    batch, _, length = text.partition("x")
    if not (batch.isdigit() and length.isdigit() and int(batch) > 0 and int(length) > 2):
        raise argparse.ArgumentTypeError(f"{text!r}: expected BATCHxLENGTH, such as 2x512")
    return int(batch), int(length)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument(
        "--shapes",
        type=shape,
        nargs="+",
        help="batch x length, one table each (4x128 2x512; cuda: 32x512)",
    )
    parser.add_argument("--precision", choices=("fp32", "bf16"), help="fp32; cuda: bf16 (autocast)")
    parser.add_argument(
        "--arms",
        choices=tuple(IMPLEMENTATIONS)[1:],
        nargs="+",
        default=["fused", "eager"],
        help="compared with none (fused eager)",
    )
    parser.add_argument("--rounds", type=int, default=7, help="turns that each arm gets")
    parser.add_argument("--steps", type=int, default=2, help="steps a turn")
    parser.add_argument("--warm-up", type=int, default=2, help="steps before the first turn")
    parser.add_argument("--threads", type=int, default=0, help="of each arm; 0: torch's own choice")
    parser.add_argument("--crossover", action="store_true", help="attention alone, by length")
    parser.add_argument("--quick", action="store_true", help="a tiny model, few steps")
    options = parser.parse_args(arguments)
    on_gpu = options.device == "cuda"
    if on_gpu and not torch.cuda.is_available():
        parser.error("--device cuda: this machine has no CUDA device")
    print_machine()
    if on_gpu:
        print(f"device    {torch.cuda.get_device_name()}, CUDA {torch.version.cuda}")
    if options.crossover:
        crossover(options)
        return
    precision = options.precision or ("bf16" if on_gpu else "fp32")
    shapes = options.shapes or ([(32, 512)] if on_gpu else [(4, 128), (2, 512)])
    for batch, length in shapes:
        work = Work(batch, length, device=options.device, precision=precision)
        if options.quick:
            work = replace(work, layers=2, width=128, heads=2, vocabulary=1000)
            options.rounds, options.steps = 2, 2
        print(f"\n{work}", flush=True)
        compare(work, ["none", *options.arms], options)


if __name__ == "__main__":
    main()

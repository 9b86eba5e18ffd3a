"""The probes of complexity against their definitions: gradients by sentence, two neighbours.

    python benchmarks/complexity_probes.py [--quick] [--only fisher|two_nn]

One run compares, on one thread, in turns, results equal to 1e-4:

- Fisher: the squared gradient norms of 32 sentences of 12 tokens, from one backward pass (ours),
  a backward pass each (the definition), and torch.func's vmap of grad, which forms each sentence's
  whole gradient. The floor is the matrix products of one forward pass and of one backward pass to
  the layers' outputs, and nothing else: gradients of matrices are not counted, they need not be
  formed.
- TwoNN: the dimension of a cloud of points against the loop over all pairs. The floor is one
  product of the points with themselves, in float64.

Times are wall times, the median of the rounds and their range.
"""

from __future__ import annotations

import argparse
import math
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from statistics import median

import numpy as np
import torch
from matrix_floor import Product, attention, linear
from pacing import busy_cores
from plain_loop import Size
from torch import Tensor
from torch.func import functional_call, grad, vmap
from turns import multiply

from hf_grok.models import VanillaTransformerConfig, VanillaTransformerForCausalLM
from hf_grok.probes.dimension.two_nn import two_nn
from hf_grok.probes.fisher.gradients import batched, one_by_one
from hf_grok.probes.inputs.predictions import Predictions

SIZES = {"d128": Size(6, 128, 512, 8, 32), "d512": Size(6, 512, 2048, 8, 32)}
LENGTH, VOCABULARY, WIDTH = 12, 100, 128

Work = Callable[[], object]


def compare(works: Mapping[str, Work], rounds: int, ours: str, operations: int) -> None:
    """Time the works in turns; print each, the floor's share, and how often ours fits in."""
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            seconds[name].append(time.perf_counter() - start)
    middle = {name: median(times) for name, times in seconds.items()}
    rate = operations / middle["floor"] / 1e9
    print(f"the floor is {operations / 1e9:.2f} G operations, measured at {rate:.0f} G a second")
    print(f"{'':<28}{'ms':>9}{'range':>20}{'of floor':>10}{'times ours':>12}")
    for name, times in seconds.items():
        low, high = 1000 * min(times), 1000 * max(times)
        print(
            f"{name:<28}{1000 * middle[name]:>9.1f}{low:>10.1f} -{high:>8.1f}"
            f"{middle['floor'] / middle[name]:>10.0%}{middle[name] / middle[ours]:>12.2f}"
        )


def fisher(size: Size, rounds: int) -> None:
    model = model_of(size)
    given = sentences(size.batch)
    works: dict[str, Work] = {
        "one backward pass (ours)": lambda: batched(model, given, lambda logits: given.gold)[0],
        "a backward pass each": lambda: one_by_one(model, given, given.gold),
        "vmap of grad": lambda: by_vmap(model, given),
    }
    ours, *others = (torch.as_tensor(work()) for work in works.values())
    for other in others:
        torch.testing.assert_close(ours, other.double(), rtol=1e-4, atol=0)
    # A product is made once and taken `times` times, as the step takes it.
    products = list(floor_products(size))
    operands = [(product, *product.operands()) for product in products]
    works["floor"] = lambda: multiply(operands)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    print(f"\nFisher: {size}, {LENGTH} tokens a sentence, {parameters:,} parameters")
    operations = sum(product.operations for product in products)
    compare(works, rounds, "one backward pass (ours)", operations)


def model_of(size: Size) -> VanillaTransformerForCausalLM:
    torch.manual_seed(0)
    config = VanillaTransformerConfig(
        vocab_size=VOCABULARY,
        hidden_size=size.width,
        intermediate_size=size.inner,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        max_position_embeddings=LENGTH,
    )
    model = VanillaTransformerForCausalLM(config).eval()
    model.set_attn_implementation("eager")  # the only one that vmap can differentiate here
    return model


def sentences(count: int) -> Predictions:
    ids = torch.randint(4, VOCABULARY, (count, LENGTH))
    place = torch.arange(1, LENGTH + 1).repeat(count, 1)
    place[:, -1] = -1
    gold = torch.where(place > 0, ids.roll(-1, 1), -100)
    return Predictions(ids, torch.full((count,), LENGTH), place, gold, causal=True)


def by_vmap(model: VanillaTransformerForCausalLM, given: Predictions) -> Tensor:
    """Squared norms of gradients that are all formed: as many times the model as sentences."""
    parameters = {name: parameter.detach() for name, parameter in model.named_parameters()}

    def loss(values: dict[str, Tensor], ids: Tensor, labels: Tensor) -> Tensor:
        inputs = {"input_ids": ids[None], "use_cache": False}
        logits = functional_call(model, values, (), inputs).logits[0]
        return torch.nn.functional.cross_entropy(logits, labels, reduction="sum")

    gradients = vmap(grad(loss), in_dims=(None, 0, 0))(parameters, given.ids, given.gold)
    squares = [gradient.flatten(1).square().sum(1) for gradient in gradients.values()]
    return torch.stack(squares).sum(0)


def floor_products(size: Size) -> Iterator[Product]:
    """x W^T and G W of every linear layer; attention's products, forward and backward."""
    tokens, width, inner, layers = size.batch * LENGTH, size.width, size.inner, size.layers
    for inputs, outputs, times in (
        (width, 3 * width, layers),
        (width, width, layers),
        (width, inner, layers),
        (inner, width, layers),
        (width, VOCABULARY, 1),
    ):
        # The third product, the gradient of the matrix, is what the probe does without.
        yield from islice(linear(tokens, inputs, outputs, times), 2)
    yield from attention(size.batch * size.heads, LENGTH, width // size.heads, layers)


def neighbours(count: int, rounds: int) -> None:
    torch.manual_seed(0)
    points = torch.randn(count, WIDTH, dtype=torch.double)
    rows = points.numpy()
    seen, expected = two_nn(points), two_nn_by_loop(rows)
    if not math.isclose(seen, expected, rel_tol=1e-6):
        raise SystemExit(f"the loop gives {expected}, two_nn {seen}")
    print(f"\nTwoNN: {count} points of {WIDTH} coordinates, dimension {seen:.2f}")
    works: dict[str, Work] = {
        "two_nn (ours)": lambda: two_nn(points),
        "loop over pairs": lambda: two_nn_by_loop(rows),
        "floor": lambda: points @ points.T,
    }
    compare(works, rounds, "two_nn (ours)", 2 * count * count * WIDTH)


def two_nn_by_loop(points: np.ndarray) -> float:
    """The definition, pair by pair, with distance 1 - cosine."""
    ratios = []
    for here, point in enumerate(points):
        distances = [
            1 - point @ other / math.sqrt((point @ point) * (other @ other))
            for there, other in enumerate(points)
            if there != here
        ]
        first, second = sorted(distances)[:2]
        if 0 < first < second:
            ratios.append(second / first)
    kept = sorted(ratios)[: math.floor(0.9 * len(ratios))]
    x = [math.log(ratio) for ratio in kept]
    y = [-math.log(1 - rank / len(ratios)) for rank in range(1, len(kept) + 1)]
    return sum(map(float.__mul__, x, y)) / sum(value * value for value in x)


def print_machine() -> None:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    print(f"machine   {names[0] if names else platform.processor()}, {platform.platform()}")
    packages = ("torch", "transformers", "numpy")
    named = ", ".join(f"{package} {version(package)}" for package in packages)
    print(f"versions  Python {platform.python_version()}, {named}; 1 thread")
    busy = busy_cores()
    if busy is not None:
        note = ": OTHERS ARE AT WORK, read the ranges" if busy > 0.2 else ""
        print(f"load      {busy:.2f} cores busy before the start{note}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=9, help="turns that each side gets")
    parser.add_argument("--points", type=int, default=1000, help="points of TwoNN")
    parser.add_argument("--only", choices=("fisher", "two_nn"), help="one comparison, not both")
    parser.add_argument("--quick", action="store_true", help="3 rounds, d 128 only, 200 points")
    options = parser.parse_args(arguments)
    if options.quick:
        options.rounds, options.points = 3, 200
    torch.set_num_threads(1)
    print_machine()
    if options.only != "two_nn":
        for name in ["d128"] if options.quick else SIZES:
            fisher(SIZES[name], options.rounds)
    if options.only != "fisher":
        neighbours(options.points, options.rounds)


if __name__ == "__main__":
    main()

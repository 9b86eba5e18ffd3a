"""What the machine does well: bf16 or not, how many threads, which attention."""

from __future__ import annotations

import ctypes
import platform

import torch
from transformers import PretrainedConfig

from hf_grok._cores import usable_cores
from hf_grok.errors import unknown_name
from hf_grok.recipes.arguments import ATTENTIONS, DROPOUT_MASKS, PRECISIONS

# Below this width times lines a batch, a second thread waits more than it works.
WORK_FOR_THREADS = 2048


def multiplies_bf16(device: torch.device) -> bool:
    """Whether `device` multiplies bfloat16 matrices in hardware (without, it is many times slower).

    On a CPU that takes AVX512-BF16 or AMX; AVX2 alone emulates it.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def choose_precision(wanted: str, device: torch.device) -> str:
    """The precision for `wanted` (auto, fp32, bf16) on `device`: "fp32" or "bf16"."""
    if wanted not in PRECISIONS:
        raise unknown_name("precision", wanted, PRECISIONS)
    if wanted != "auto":
        return wanted
    return "bf16" if multiplies_bf16(device) else "fp32"


def choose_threads(wanted: int, config: PretrainedConfig, batch: int, processes: int) -> int:
    """Threads for a CPU run: `wanted`, or one where a step is small, else every core's share.

    A step is small below a width times lines a batch of 2,048, such as d 128 with batch 8.
    """
    if wanted:
        return wanted
    small = config.hidden_size * batch < WORK_FOR_THREADS
    return 1 if small else max(1, usable_cores() // processes)


def choose_attention(wanted: str, device: torch.device) -> str:
    """The attention implementation for `wanted` on `device`, as transformers names it."""
    if wanted not in ATTENTIONS:
        raise unknown_name("attention", wanted, ATTENTIONS)
    if wanted == "auto":
        wanted = "batched" if device.type == "cpu" else "sdpa"
    if wanted == "batched":
        from hf_grok.attention.batched import register_batched_attention

        return register_batched_attention()
    return wanted


def choose_dropout_masks(wanted: str, device: torch.device) -> str:
    """How dropout masks are had for `wanted` on `device`: "pooled" or "drawn"."""
    if wanted not in DROPOUT_MASKS:
        raise unknown_name("dropout_masks", wanted, DROPOUT_MASKS)
    if wanted != "auto":
        return wanted
    return "pooled" if device.type == "cpu" else "drawn"


def keep_freed_memory() -> None:
    """Have glibc keep freed memory in the process instead of returning it page by page.

    A small model on a CPU frees and takes back the same few megabytes at every step; asking the
    system for zeroed pages each time costs about a sixth of the step. Other systems are left alone.
    """
    if platform.libc_ver()[0] != "glibc":
        return
    trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD of malloc.h
    libc = ctypes.CDLL(None)
    libc.mallopt(trim_threshold, 1 << 30)
    libc.mallopt(mmap_threshold, 1 << 30)

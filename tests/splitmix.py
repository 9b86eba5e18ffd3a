"""SplitMix64 in whole numbers: which number each token of a sentence is masked by."""

from __future__ import annotations

WRAP = 2**64


def splitmix(word: int) -> int:
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 % WRAP
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB % WRAP
    return word ^ (word >> 31)


def one_number(seed: int, epoch: int, stream: int, sentence: int, place: int) -> float:
    increment, key = 0x9E3779B97F4A7C15, 0
    for part in (seed, epoch, stream):
        key = splitmix(((key ^ part) + increment) % WRAP)
    key = splitmix((key + sentence * increment) % WRAP)
    return (splitmix((key + (place + 1) * increment) % WRAP) >> 11) / 2**53

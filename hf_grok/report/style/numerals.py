"""How numbers are written in sentences, tables and on axes."""

from __future__ import annotations


def accuracy(value: float) -> str:
    """.95 for 0.95; never rounded up to 1.00 or down to .00: .996 and .004 stay apart from them."""
    text = f"{value:.2f}"
    if text in ("1.00", "0.00") and value not in (0.0, 1.0):
        text = f"{value:.3f}"
    if text == "1.000":
        return "above .999"
    if text == "0.000":
        return "below .001"
    return text.removeprefix("0")


def signed_accuracy(value: float) -> str:
    """+.61 or -.05: a difference of two accuracies."""
    return f"{'-' if value < 0 else '+'}{abs(value):.2f}".replace("0.", ".")


def plain(value: float) -> str:
    """.72 for 0.7168, 4.30 for 4.299, 92.1 for 92.06, 63,712 for 63712.4: any number, briefly."""
    decimals = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    text = f"{round(value, decimals) + 0.0:,.{decimals}f}"  # + 0.0: no minus before a zero
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def step(value: float) -> str:
    """16,200 for 16200, in sentences and tables."""
    return f"{value:,.0f}"


def short_step(value: float) -> str:
    """16.2k for 16200 and 1.4k for 1400, on axes; three digits at most."""
    for unit, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= unit:
            digits = f"{value / unit:.3g}"
            return f"{digits}{letter}"
    return f"{value:g}"


def times(ratio: float) -> str:
    """3.4 for 3.43, 12 for 12.1: a ratio of two steps; no more digits than it deserves."""
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.1f}"


def duration(seconds: float) -> str:
    """4 min 05 s, 1 h 02 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def counted(number: int, what: str) -> str:
    """1 seed, 65 seeds: a count of what takes an s where it is several."""
    return f"{number:,} {what}{'s' * (number != 1)}"


def spoken_list(items: list[str]) -> str:
    """One item as it is; two as "a and b"; more as "a, b and c"."""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))

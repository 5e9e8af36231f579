"""Sizes and shares as a search engine's settings write them, and as people read them. Pure."""

import re

POWERS = {"b": 0, "k": 1, "kb": 1, "m": 2, "mb": 2, "g": 3, "gb": 3, "t": 4, "tb": 4, "p": 5, "pb": 5}
NAMES = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def bytes_of(text):
    """Bytes of a size such as `20gb`; units are powers of 1024, as the engines count. @raise ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", str(text).strip().lower())
    if str(text).strip() == "0":
        return 0
    if not found or found[2] not in POWERS:
        raise ValueError(f'"{text}" is no size')
    return int(float(found[1]) * 1024 ** POWERS[found[2]])


def reserve_of(watermark, total):
    """Bytes of a disk of `total` bytes that a watermark keeps free.

    A share (`85%`, `0.85`) says how much may be used; a size (`20gb`) how much stays free. @raise ValueError.
    """
    text = str(watermark).strip()
    share = None
    if re.fullmatch(r"\d+(\.\d+)?%", text):
        share = float(text[:-1]) / 100
    elif re.fullmatch(r"0?\.\d+|[01](\.0+)?", text):
        share = float(text)
    if share is None:
        return bytes_of(text)
    if share > 1:
        raise ValueError(f'"{watermark}" is no share')
    # To the next byte: 0.15 of a number is rarely a whole one.
    return total - int(total * share + 1e-6)


def human(count):
    """`412 GiB`, `1.5 MiB`: two digits or more, in powers of 1024."""
    size, power = float(max(count, 0)), 0
    while size >= 1024 and power < len(NAMES) - 1:
        size, power = size / 1024, power + 1
    if power == 0 or size >= 10:
        return f"{size:.0f} {NAMES[power]}"
    return f"{size:.1f} {NAMES[power]}"


def lasting(seconds):
    """`about 5 h`: how long something takes, as people say it."""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} min"
    if seconds < 36 * 3600:
        return f"about {round(seconds / 3600)} h"
    return f"about {round(seconds / 86400)} days"


def some_of(names, most=3):
    """`a, b, c and 4 more`."""
    names = list(names)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")

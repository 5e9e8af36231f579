"""How far a drain is: bytes left, rate and time left from the looks before. Pure, but for its record on this host."""

import json
import os

from sizes import human, lasting

# Looks nearer than this say nothing of a rate; older ones than the window are left out when newer ones are there.
NEAR_S = 2
WINDOW_S = 900
MOST_LOOKS = 40


def percent(left, total):
    """Whole percent that is done; 100 only when nothing is left."""
    if left <= 0:
        return 100
    return max(0, min(99, int(100 * (total - left) / total))) if total > 0 else 0


def with_look(looks, at, left):
    """The looks with one more: [(seconds of this host's clock, bytes left)…], oldest first.

    A clock that was set back makes the looks before it worthless.
    """
    if looks and at < looks[-1][0]:
        looks = []
    if len(looks) > 1 and at - looks[-2][0] < NEAR_S:
        looks = looks[:-1]
    looks = [*looks, (at, left)][-MOST_LOOKS:]
    recent = [look for look in looks if at - look[0] <= WINDOW_S]
    return recent if len(recent) > 1 else looks[-2:]


def rate(looks):
    """Bytes a second between the first and the last look; None when they are too near or one alone."""
    if len(looks) < 2 or looks[-1][0] - looks[0][0] < NEAR_S:
        return None
    return max(0.0, (looks[0][1] - looks[-1][1]) / (looks[-1][0] - looks[0][0]))


def eta(left, speed):
    """Seconds until nothing is left; None when nothing moves or no rate is known."""
    return left / speed if speed else None


def words(left, total, speed):
    """`31 %, 412 GiB of 600 GiB left, 23 MiB/s, about 5 h`."""
    parts = [f"{percent(left, total)} %", f"{human(left)} of {human(total)} left"]
    if speed is not None:
        parts.append(f"{human(speed)}/s")
        if speed and left > 0:
            parts.append(lasting(left / speed))
    return ", ".join(parts)


def is_pair(look):
    return isinstance(look, list) and len(look) == 2 and all(isinstance(part, (int, float)) for part in look)


def read(path, began):
    """The looks of the drain that began with this mark; [] for another one, or when there are none."""
    try:
        with open(path, encoding="utf8") as file:
            kept = json.load(file)
        return [tuple(look) for look in kept["looks"] if is_pair(look)] if kept["began"] == began else []
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write(path, began, looks):
    """Keep the looks. A disk that is full costs a rate, not a drain."""
    temporary = f"{path}.new"
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(temporary, "w", encoding="utf8") as file:
            json.dump({"began": began, "looks": looks}, file)
        os.replace(temporary, path)
    except OSError:
        pass

"""What the machines of a pair say to each other: how it is signed, and what an answer may contain.

A request is a line: `2 NONCE WORD… MAC`. The answer is a line of JSON and a line with its MAC, which covers the request
as well. A machine whose release is older says `NONCE WORD…` without a MAC; its own answer has one.
"""

import hmac
import os
import re

from files import text_of

TEXT = re.compile(r"[^\x00-\x1f\x7f]{0,400}\Z")
NAME = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
POSITION = re.compile(r"[0-9A-F]{1,8}/[0-9A-F]{1,8}\Z")
ADDRESS = re.compile(r"[0-9A-Fa-f.:/]{1,60}\Z")


def matches(pattern):
    return lambda value: isinstance(value, str) and pattern.match(value) is not None


def one_of(*words):
    return lambda value: isinstance(value, str) and value in words


def is_number(value):
    return type(value) is int and 0 <= value < 10**18


def is_flag(value):
    return type(value) is bool


# Every key that this program reads of an answer, by what its value may be. Of others nothing is kept.
ALLOWED = {
    "host": matches(NAME), "epoch": is_number, "serving": is_number, "served": is_number, "alone": is_number,
    "serving_id": matches(NAME), "down": matches(TEXT), "half_made": is_flag, "standby_signal": is_flag,
    "holds_address": is_flag, "runs": is_flag, "in_recovery": is_flag, "stands_still": is_flag,
    "cluster": one_of("absent", "ours", "foreign"), "postgres": one_of("stopped", "starting", "running"),
    "position": matches(POSITION), "received": matches(POSITION), "status": matches(NAME),
    "claim.id": matches(NAME), "claim.transition": matches(NAME), "fence.id": matches(NAME),
    "fence.was": one_of("writer", "standby", "stopped", "silent"), "fence.position": matches(POSITION), "streaming.from": matches(ADDRESS),
    "code": lambda value: type(value) is int and value in (0, 1, 64, 75, 77), "said": matches(TEXT),
}  # fmt: skip
# What is missing where a machine has nothing to say of it.
MAY_BE_NULL = {"serving_id", "down", "in_recovery", "position", "received", "status"}


def checked(answer):
    """The parts of an answer that this program reads. @raise ValueError when one is not what it may be"""
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")
    kept = {}
    for key, allows in ALLOWED.items():
        group, _, part = key.rpartition(".")
        place = answer if not group else answer.get(group)
        if not isinstance(place, dict):
            if place is not None:
                raise ValueError(f"its {group} is no object")
            kept.setdefault(group, None)
            continue
        if part not in place or (place[part] is None and key in MAY_BE_NULL):
            value = None
        elif not allows(place[part]):
            raise ValueError(f"its {key} is {str(place[part])[:60]!r}")
        else:
            value = place[part]
        if group:
            kept[group] = {**(kept.get(group) or {}), part: value}
        elif part in place:
            kept[part] = value
    return kept


def before_of(pair):
    return f"/etc/{pair}/secret.before"


def secrets_of(pair):
    """The secret of this machine; and while the peer has not shown that it has it too, those before."""
    texts = (text_of(f"/etc/{pair}/secret"), *reversed((text_of(before_of(pair)) or "").split("\n")))
    return [text.encode() for text in texts if text]


def mac(secret, kind, *lines):
    return hmac.digest(secret, b"\n".join((kind, *lines)), "sha256").hex().encode()


def signed(secret, words):
    """A request, with a nonce of its own."""
    request = b" ".join([b"2", os.urandom(16).hex().encode(), *words])
    return request + b" " + mac(secret, b"request", request)


def secret_of(request, secrets):
    """The secret with which a request is signed; None: with none of them."""
    text, _, said = request.rpartition(b" ")
    return next((secret for secret in secrets if hmac.compare_digest(mac(secret, b"request", text), said)), None)

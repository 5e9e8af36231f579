#!/usr/bin/env python3
"""Check a cache from one of its clients, as a monitoring plugin: one line, and an exit code.

Usage: ring-check.py CACHE

0 OK: the ring file is as it was written, and every node answers.
1 WARNING: some nodes do not answer; the other nodes have their keys.
2 CRITICAL: no node answers, or the ring file was changed, or another client has another ring, or this host is a node and its
  port is open to every host (seen by root only).
3 UNKNOWN: this host has no ring, or the call is wrong.
"""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import rules  # noqa: E402
from node import Failed, Node  # noqa: E402
from ring import digest, places_in, ring_file, short, text_of_ring  # noqa: E402

WORDS = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def look(place, cache, clients):
    """(numbers, hashes of the other clients' rings by client) from one node."""
    with Node(place) as node:
        stats = node.stats()
        marks = {client: node.get(f"changeover:{cache}:ring:{client}") for client in clients}
    return stats, {client: mark for client, mark in marks.items() if mark}


def recorded(cache):
    """(sha256, other clients) that were written with the ring."""
    try:
        with open(f"{ring_file(cache)}.sha256", encoding="utf8") as file:
            sha, *clients = file.read().split()
            return sha, [client for client in clients if client != socket.gethostname()]
    except (OSError, ValueError):
        return None, []


def is_open(cache):
    """Whether this host is a node whose rules are not loaded."""
    table = f"changeover-memcached-{cache}"
    return os.geteuid() == 0 and table in rules.tables(rules.FOLDER) and rules.listed(table) is None


def state(cache):
    """(code, text) of the line."""
    text = text_of_ring(cache)
    if text is None:
        return 3, f"{socket.gethostname()} has no ring of {cache}"
    sha, clients = recorded(cache)
    mine, dead, others, total = digest(text), [], [], {"get_hits": 0, "get_misses": 0, "curr_items": 0}
    places = places_in(text)
    for place in places:
        try:
            stats, marks = look(place, cache, clients)
        except Failed as error:
            dead.append(str(error))
            continue
        total = {key: value + int(stats.get(key, 0)) for key, value in total.items()}
        others += [f"{client} has ring {short(mark)}" for client, mark in marks.items() if mark != mine]
    numbers = " ".join(f"{key}={value}" for key, value in total.items())
    if is_open(cache):
        return 2, f"{socket.gethostname()} accepts every host: its table changeover-memcached-{cache} is missing | {numbers}"
    if mine != sha:
        return 2, f"{ring_file(cache)} is {short(mine)}, it was written as {short(sha or 'nothing')} | {numbers}"
    if others:
        return 2, f"{socket.gethostname()} has ring {short(mine)}, but {', '.join(sorted(set(others)))} | {numbers}"
    if dead:
        return (2 if len(dead) == len(places) else 1), f"{len(dead)} of {len(places)} nodes do not answer: {'; '.join(dead)} | {numbers}"
    return 0, f"{len(places)} nodes answer, ring {short(mine)} | {numbers}"


if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
    if sys.argv[1:] == ["--help"]:
        print(__doc__)
        sys.exit(0)
    code, said = 3, "called wrongly: ring-check.py takes CACHE"
else:
    code, said = state(sys.argv[1])
print(f"CACHE {WORDS[code]}: {said}")
sys.exit(code)

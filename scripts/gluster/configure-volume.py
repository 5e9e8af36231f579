#!/usr/bin/env python3
"""Create a volume or change its bricks: the Python half of configure-volume.sh. Prints what the volume has now."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import cli  # noqa: E402
from cli import Refused, TimedOut, log, tell  # noqa: E402
from plan import counts, plan, why_not  # noqa: E402


def is_safe(name, changing=()):
    """
    Whether a brick may change now: every other brick is online, and nothing is left to heal on any volume of the
    trusted pool. Split brain is refused, since waiting does not help.
    """
    volumes = cli.volumes_soon()
    if volumes is None:
        return False
    for other, volume in volumes.items():
        if not volume["started"]:
            continue
        up = cli.online(other)
        down = [brick for _, brick in volume["bricks"] if brick not in up and not (other == name and brick in changing)]
        if down:
            log(f"waiting: {', '.join(down)} of {other} is offline")
            return False
        if len(volume["bricks"]) > 1:
            backlog = cli.backlog(other)
            cli.refuse_split_brain(other, backlog)
            if backlog is None or backlog[0]:
                log(f"waiting: {other} has {backlog[0] if backlog else 'an unknown number of'} entries to heal")
                return False
    return True


def wait_safe(name, seconds, changing=()):
    last = {}

    def ask_once():
        now = time.monotonic()
        if now - last.get("at", -9) > 2:
            last.update(at=now, safe=is_safe(name, changing))
        return last["safe"]

    cli.wait_until(f"{name} has all bricks online and nothing to heal", seconds, ask_once)


def create(name, bricks):
    data, arbiters = counts(bricks)
    ordered = [brick for _, brick in sorted(bricks, key=lambda pair: pair[0] == "arbiter")]
    replica = ["replica", str(data + arbiters)] if data + arbiters > 1 else []
    arbiter = ["arbiter", str(arbiters)] if arbiters else []
    log(f"creating {name} on {', '.join(ordered)}")
    cli.require_claim()
    command = ["volume", "create", name, *replica, *arbiter, "transport", "tcp", *ordered]
    try:
        tell(*command)
    except TimedOut as why:
        # A try that failed half-way has marked the folders, which were empty when they were prepared. A brick that any volume
        # of the pool has is refused with `force` too.
        if "already part of a volume" not in str(why):
            raise
        tell(*command, "force")


def carry_out(name, step, seconds):
    kind, brick, *rest = step
    wait_safe(name, seconds, changing=(brick,) if kind == "replace" else ())
    cli.require_claim()
    log(f"{kind} {brick} {'with ' + rest[0] if kind == 'replace' else ' '.join(rest[0])}")
    if kind == "replace":
        tell("volume", "replace-brick", name, brick, rest[0], "commit", "force")
    elif kind == "remove":
        tell("volume", "remove-brick", name, *rest[0], brick, "force")
    else:
        tell("volume", "add-brick", name, *rest[0], brick)
    present = {brick for _, brick in cli.volumes()[name]["bricks"]}
    added = rest[0] if kind == "replace" else brick
    if (added in present) != (kind != "remove") or (kind == "replace" and brick in present):
        raise TimedOut(f"{name} has the bricks {', '.join(sorted(present))} after gluster said that {kind} {brick} is done")
    if kind != "remove":
        time.sleep(1)
    wait_safe(name, seconds)


def is_set(now, option, value):
    """Whether an option has its value. Servers of the pool are always allowed, so whom `auth.allow` names besides counts."""
    if option != "auth.allow":
        return now.get(option) == value
    names = cli.trusted_names()
    return {*now.get(option, "").split(",")} - names == {*value.split(",")} - names


def set_options(name, wanted):
    now = cli.volumes()[name]["options"]
    for option, value in wanted.items():
        if not is_set(now, option, value):
            log(f"setting {option} to {value}")
            if option == "auth.allow":
                cli.even_out(name, value)
            else:
                tell("volume", "set", name, option, value)
    now = cli.volumes()[name]["options"]
    unset = [f"{option} {now.get(option)}" for option, value in wanted.items() if not is_set(now, option, value)]
    if unset:
        raise TimedOut(f"{name} has {', '.join(unset)} after gluster said that they are set")


def detach_unused(before):
    """Detach servers that have lost their last brick from the trusted pool."""
    used = {brick.split(":")[0] for volume in cli.volumes().values() for _, brick in volume["bricks"]}
    for host in sorted({brick.split(":")[0] for _, brick in before} - used):
        if cli.peer_at(host, cli.peers()):
            log(f"detaching {host} from the trusted pool")
            tell("peer", "detach", host)


def main():
    seconds, name, words = int(sys.argv[1]), sys.argv[2], [word.split("=", 1) for word in sys.argv[3:]]
    goal = [(key, value) for key, value in words if key in ("data", "arbiter")]
    options = dict(value.split("=", 1) for key, value in words if key == "set")
    if name not in cli.volumes():
        create(name, goal)
    set_options(name, options)
    if not cli.volumes()[name]["started"]:
        log(f"starting {name}")
        tell("volume", "start", name)
    before = cli.volumes()[name]["bricks"]
    why = why_not(before, goal)
    if why:
        raise Refused(f"{name}: {why} (bricks now: {', '.join(brick for _, brick in before)})")
    steps = plan(before, goal)
    for step in steps:
        carry_out(name, step, seconds)
    if steps and "auth.allow" in options:
        cli.even_out(name, options["auth.allow"])
    wanted = {brick for _, brick in goal}
    cli.wait_until(f"{name} has every brick online", 60, lambda: wanted <= cli.online(name))
    if sorted(cli.volumes()[name]["bricks"]) != sorted(goal):
        raise TimedOut(f"{name} has the bricks {cli.volumes()[name]['bricks']} (expected: {goal})")
    detach_unused(before)
    data, arbiters = counts(goal)
    print(f"{name} has {data} cop{'y' if data == 1 else 'ies'}{' and an arbiter' if arbiters else ''}, {len(steps)} brick operation(s)")


cli.ending(main)

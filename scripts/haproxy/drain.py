#!/usr/bin/env python3
"""The parts of drain.sh and undo-drain.sh that talk to HAProxy.

Usage: drain.py check POOL MINHEALTHY SERVER…     refuse below MINHEALTHY; print the servers that need an undo
       drain.py begin POOL BY MINHEALTHY SERVER…  refuse below MINHEALTHY; send no new request; print the draining servers
       drain.py wait POOL SECONDS SERVER…         print the sessions left; without any, end the drain
       drain.py cut POOL SERVER…                  cut the sessions left and end the drain; print how many
       drain.py restore POOL BY SERVER…           bring servers that BY took out back into traffic, when they are ready
       drain.py undo POOL BY SERVER…              the same, for servers with wanted=in only
"""

import time

import enter_traffic
import pool as pools
import runtime
from exit_codes import log, misuse, refused, run, timed_out

# Limits of a return into traffic, and of cutting sessions.
RETURN_S = 30
CUT_S = 10


def healthy(pool, states, leaving=()):
    """Servers in traffic whose checks say UP."""
    rows = runtime.stat()
    return [
        name
        for name in pool.servers()
        if name not in leaving
        and name in states
        and runtime.admin_of(states[name]) == "ready"
        and rows[(pool.name, name)]["status"].startswith("UP")
    ]


def require_capacity(pool, least, servers):
    """Refuse while too few other servers are UP. A server without traffic may leave at any time."""
    states = pool.require(servers)
    stay = healthy(pool, states, servers)
    if set(healthy(pool, states)) == set(stay) or len(stay) >= int(least):
        return states
    names = f" ({', '.join(stay)})" if stay else ""
    raise refused(
        f"without {', '.join(servers)} {len(stay)} of {len(pool.servers())} servers would be UP{names} (allowed: {least} or more, "
        f"by minHealthy); repair the other servers, or lower minHealthy; nothing was changed"
    )


def check(name, least, *servers):
    pool = pools.Pool(name)
    states = require_capacity(pool, least, servers)
    returning = []
    for server in servers:
        record = pool.record(server)
        was_in = runtime.admin_of(states[server]) != "maint" or record.get("by")
        if was_in and record.get("wanted") == "in":
            returning.append(server)
    return "\n".join(returning)


def begin(name, by, least, *servers):
    pool = pools.Pool(name)
    draining = []
    with pool.locked():
        states = require_capacity(pool, least, servers)
        rows = runtime.stat()
        admins = {server: runtime.admin_of(states[server]) for server in servers}
        for server in servers:
            was_in = admins[server] != "maint" or pool.record(server).get("by")
            # The file first: a balancer that reboots from here on brings no drained server back.
            pool.note(server, admin="maint", by=by if was_in else None)
        pool.compose()
        for server in servers:
            if admins[server] == "maint":
                log(f"{server} is in maintenance already")
            elif rows[(name, server)]["status"].startswith("DOWN"):
                log(f"{server} is DOWN: setting it to maintenance at once")
                runtime.set_state(name, server, "maint")
            else:
                log(f"draining {server}")
                runtime.set_state(name, server, "drain")
                draining.append(server)
    return " ".join(draining)


def wait(name, seconds, *servers):
    left = idle_within(name, float(seconds), servers)
    if not left:
        end(name, *servers)
    return str(left)


def idle_within(name, seconds, servers):
    """Sessions that are left when the time is over."""
    until = time.monotonic() + seconds
    idle = 0
    while True:
        left = sum(runtime.sessions(name, server) for server in servers)
        # Count twice: a request may move between two workers during one count.
        idle = 0 if left else idle + 1
        if idle == 2 or (left and time.monotonic() >= until):
            return left
        time.sleep(0.03)


def cut(name, *servers):
    """HAProxy repeats safe requests at another server. A worker from before a reload may choose this server again, so cut again."""
    count = sum(runtime.sessions(name, server) for server in servers)
    until = time.monotonic() + CUT_S
    while time.monotonic() < until:
        for server in servers:
            runtime.cut(name, server)
        if not idle_within(name, 0.3, servers):
            end(name, *servers)
            return str(count)
    raise timed_out(f"sessions are left at {', '.join(servers)} after {CUT_S} s of cutting")


def end(name, *servers):
    """End the drain: the servers are in maintenance."""
    pool = pools.Pool(name)
    with pool.locked():
        for server in servers:
            pool.require([server])
            runtime.set_state(name, server, "maint")
            pool.note(server, admin="maint")
        pool.compose()


def undo(name, by, *servers):
    """Bring back servers that BY took out and whose record says wanted=in."""
    pool = pools.Pool(name)
    returning = [server for server in servers if pool.record(server).get("wanted") == "in"]
    return into_traffic(pool, by, servers, returning)


def restore(name, by, *servers):
    """Bring back servers that BY took out, whatever their wanted state: their drain failed."""
    return into_traffic(pools.Pool(name), by, servers, servers)


def into_traffic(pool, by, servers, returning):
    pool.require(servers)
    returning = [server for server in returning if pool.record(server).get("by") == by]
    bad = enter_traffic.join(pool, returning, RETURN_S) if returning else {}
    # Its release came on another port before nobody went on.
    moved = [server for server in bad if pool.record(server).get("at")]
    if moved:
        with pool.locked():
            for server in moved:
                enter_traffic.reach(pool, server)
        bad = {**{server: why for server, why in bad.items() if server not in moved}, **enter_traffic.join(pool, moved, RETURN_S)}
    with pool.locked():
        for server in returning:
            if server not in bad:
                pool.note(server, admin="ready", by=None)
        pool.compose()
    if bad:
        raise timed_out("; ".join(bad.values()))
    return ", ".join(f"{server} {'in traffic again' if server in returning else 'unchanged'}" for server in servers)


def main(command, *words):
    commands = {"check": check, "begin": begin, "wait": wait, "cut": cut, "restore": restore, "undo": undo}
    if command not in commands:
        raise misuse(f"drain.py has no command {command}; allowed: {', '.join(commands)}")
    try:
        return commands[command](*words)
    except runtime.Unusable as error:
        raise refused(str(error)) from error


if __name__ == "__main__":
    run(main, __doc__, 3)

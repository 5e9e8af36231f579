#!/usr/bin/env python3
"""The parts of drain.sh and back.sh that ask HAProxy.

Usage: drain.py look POOL MINHEALTHY SERVER…      which of them somebody has to put back; refuses
       drain.py begin POOL BY MINHEALTHY SERVER…  no new requests for them; those whose sessions end; refuses
       drain.py wait POOL SECONDS SERVER…         sessions left when the time is over; with none, out of traffic
       drain.py cut POOL SERVER…                  end these sessions, out of traffic; how many
       drain.py restore POOL BY SERVER…           into traffic again, those that BY took out, when they are ready
       drain.py back POOL BY SERVER…              the same, but only those that are to be in the pool
"""

import time

import joining
import pool as pools
import runtime
from saying import log, misuse, refused, run, timed_out

# A server that goes back is to pass its checks within so many seconds.
BACK_S = 30
CUT_S = 10


def healthy(pool, states, leaving=()):
    """Servers in traffic that their own checks say are up."""
    rows = runtime.stat()
    return [
        name
        for name in pool.servers()
        if name not in leaving
        and name in states
        and runtime.admin_of(states[name]) == "ready"
        and rows[(pool.name, name)]["status"].startswith("UP")
    ]


def gate(pool, least, servers):
    """Refuse while too few others could carry the traffic; what takes none now costs nothing."""
    states = pool.require(servers)
    stay = healthy(pool, states, servers)
    if set(healthy(pool, states)) == set(stay) or len(stay) >= int(least):
        return states
    names = f" ({', '.join(stay)})" if stay else ""
    raise refused(
        f"without {', '.join(servers)} {len(stay)} of {len(pool.servers())} servers would be UP{names}, "
        f"at least {least} are to be (minHealthy); nothing was changed"
    )


def look(name, least, *servers):
    pool = pools.Pool(name)
    states = gate(pool, least, servers)
    to_put_back = []
    for server in servers:
        record = pool.record(server)
        taken = runtime.admin_of(states[server]) != "maint" or record.get("by")
        if taken and record.get("wanted") == "in":
            to_put_back.append(server)
    return "\n".join(to_put_back)


def begin(name, by, least, *servers):
    pool = pools.Pool(name)
    draining = []
    with pool.locked():
        states = gate(pool, least, servers)
        rows = runtime.stat()
        found = {server: runtime.admin_of(states[server]) for server in servers}
        for server in servers:
            taken = found[server] != "maint" or pool.record(server).get("by")
            # The file first: a balancer that reboots from here on brings nobody back.
            pool.note(server, admin="maint", by=by if taken else None)
        pool.compose()
        for server in servers:
            if found[server] == "maint":
                log(f"{server} is in maintenance already")
            elif rows[(name, server)]["status"].startswith("DOWN"):
                log(f"{server} is down: it goes straight to maintenance")
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
    """Sessions that are left at the end of the time."""
    until = time.monotonic() + seconds
    idle = 0
    while True:
        left = sum(runtime.sessions(name, server) for server in servers)
        # Twice: a request may be on its way from one count to the next.
        idle = 0 if left else idle + 1
        if idle == 2 or (left and time.monotonic() >= until):
            return left
        time.sleep(0.03)


def cut(name, *servers):
    """What may be asked twice is asked at another server; a worker from before a reload may choose the same one again."""
    count = sum(runtime.sessions(name, server) for server in servers)
    until = time.monotonic() + CUT_S
    while time.monotonic() < until:
        for server in servers:
            runtime.cut(name, server)
        if not idle_within(name, 0.3, servers):
            end(name, *servers)
            return str(count)
    raise timed_out(f"sessions at {', '.join(servers)} are still there {CUT_S} s after they were shut down")


def end(name, *servers):
    """Out of traffic."""
    pool = pools.Pool(name)
    with pool.locked():
        for server in servers:
            pool.require([server])
            runtime.set_state(name, server, "maint")
            pool.note(server, admin="maint")
        pool.compose()


def back(name, by, *servers):
    """What BY took out and is to be in the pool."""
    pool = pools.Pool(name)
    returning = [server for server in servers if pool.record(server).get("wanted") == "in"]
    return into_traffic(pool, by, servers, returning)


def restore(name, by, *servers):
    """What BY found in traffic, whatever is wanted of it: it could not leave."""
    return into_traffic(pools.Pool(name), by, servers, servers)


def into_traffic(pool, by, servers, returning):
    pool.require(servers)
    returning = [server for server in returning if pool.record(server).get("by") == by]
    bad = joining.join(pool, returning, BACK_S) if returning else {}
    with pool.locked():
        for server in returning:
            if server not in bad:
                pool.note(server, admin="ready", by=None)
        pool.compose()
    if bad:
        raise timed_out("; ".join(bad.values()))
    return ", ".join(f"{server} {'in traffic again' if server in returning else 'left as it is'}" for server in servers)


def main(command, *words):
    commands = {"look": look, "begin": begin, "wait": wait, "cut": cut, "restore": restore, "back": back}
    if command not in commands:
        raise misuse(f"drain.py has no command {command}")
    try:
        return commands[command](*words)
    except runtime.Unusable as error:
        raise refused(str(error)) from error


if __name__ == "__main__":
    run(main, __doc__, 3)

#!/usr/bin/env python3
"""Bring servers into traffic, watch them there, and take out those that do not stand it.

Usage: enter.py BY POOL UP_SECONDS BAKE_SECONDS PATH HOSTHEADER SERVER…

Prints `good: …` or `bad: …`, then the verdict for programs. A server whose record does not say wanted=in is left out of traffic.
"""

import http.client
import time

import joining
import pool as pools
import runtime
from saying import counted, judged, log, refused, run

# A server is bad when more than so many of its answers in a hundred are errors, and before the end of the watch
# when it made so many.
ERRORS_PERCENT = 1
ERRORS_EARLY = 3
# So many requests of its own at least, however short the watch.
OWN_REQUESTS = 10


def ask_page(address, path, host):
    """What one request gets: None when it is good, else what is wrong with it."""
    name, _, port = address.rpartition(":")
    asked = http.client.HTTPConnection(name, int(port), timeout=10)
    try:
        asked.request("GET", path, headers={"Host": host, "Connection": "close"})
        answer = asked.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error})"
    finally:
        asked.close()
    return f"status {answer.status}" if answer.status >= 500 else None


def here(address):
    """A bind to every address is asked on this machine itself."""
    name, _, port = address.rpartition(":")
    return f"{'127.0.0.1' if name in ('', '*', '0.0.0.0') else name}:{port}"


class Watch:
    """Servers in traffic, from now on: their counters, their checks, and a few requests through the front."""

    def __init__(self, pool, path, host, servers):
        self.pool, self.path, self.host, self.servers = pool, path, host, servers
        self.first = self.rows()
        self.asked, self.failed, self.why = 0, 0, ""
        # In maintenance the front has nothing but the page: the servers are asked themselves.
        known = pool.servers()
        closed = pool.maintenance()
        self.fronts = [known[server] for server in servers] if closed else [here(bind) for bind in pool.binds()]

    def rows(self):
        stat = runtime.stat()
        return {server: stat[(self.pool.name, server)] for server in self.servers}

    def ask(self):
        address = self.fronts[self.asked % len(self.fronts)]
        self.asked += 1
        wrong = ask_page(address, self.path, self.host)
        if wrong:
            self.failed += 1
            self.why = f"{wrong} from {address}{self.path}"

    def grown(self, server, now, *columns):
        """By how much counters grew; a reload meanwhile started them again."""
        before = runtime.count(self.first[server], *columns)
        after = runtime.count(now[server], *columns)
        return after - before if after >= before else after

    def bad(self, now, errors_least):
        """What is wrong, server by server; fewer errors than so many are none."""
        found = {}
        for server, row in now.items():
            if not row["status"].startswith("UP"):
                found[server] = f"{server} went {joining.look(self.pool, server)[1]}"
                continue
            answers = self.grown(server, now, "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx")
            errors = self.grown(server, now, "hrsp_5xx")
            broken = self.grown(server, now, "econ", "eresp")
            if errors >= errors_least and errors * 100 > answers * ERRORS_PERCENT:
                found[server] = f"{server} answered {errors} of {answers} with 5xx"
            elif broken >= errors_least and broken * 100 > (answers + broken) * ERRORS_PERCENT:
                found[server] = f"{server} broke off {broken} of {answers + broken}"
        return found

    def through(self, seconds):
        """Watch so long, less when something is bad already."""
        until = time.monotonic() + seconds
        while True:
            self.ask()
            now = self.rows()
            over = time.monotonic() >= until and self.asked >= OWN_REQUESTS
            found = self.bad(now, 1 if over else ERRORS_EARLY)
            if found or over:
                return now, found
            if self.asked >= OWN_REQUESTS:
                time.sleep(min(0.2, max(0.0, until - time.monotonic())))


def take_out(pool, servers):
    with pool.locked():
        for server in servers:
            runtime.set_state(pool.name, server, "maint")
            pool.note(server, admin="maint")
        pool.compose()


def settle(pool, servers):
    with pool.locked():
        for server in servers:
            pool.note(server, admin="ready", by=None)
        pool.compose()


def enter(pool, up_seconds, bake_seconds, path, host, servers):
    """Whether it is good, and what was seen: only what is bad is out again at the end."""
    bad = joining.join(pool, servers, up_seconds)
    stay = [server for server in servers if server not in bad]
    if stay:
        watch = Watch(pool, path, host, stay)
        log(f"watching {', '.join(stay)} for {bake_seconds:g} s")
        now, found = watch.through(bake_seconds)
        if not found and watch.failed * 100 > watch.asked * ERRORS_PERCENT:
            found = dict.fromkeys(stay, f"{watch.failed} of {watch.asked} requests of the check failed: {watch.why}")
        bad.update(found)
    take_out(pool, list(bad))
    settle(pool, [server for server in stay if server not in bad])
    if bad:
        return False, "; ".join(dict.fromkeys(bad.values()))
    answers = sum(watch.grown(server, now, "hrsp_2xx", "hrsp_3xx", "hrsp_4xx") for server in stay)
    return True, f"{', '.join(stay)} in traffic, {counted(answers, 'answer')} without an error"


def main(by, name, up_seconds, bake_seconds, path, host, *servers):
    pool = pools.Pool(name)
    try:
        states = pool.require(servers)
        said, entering = [], []
        for server in servers:
            record = pool.record(server)
            admin = runtime.admin_of(states[server])
            if record.get("wanted") != "in":
                if admin != "maint":
                    raise refused(f"{server} is to be {record.get('wanted') or 'out'}, but HAProxy has it {admin}: drain it first")
                said.append(f"{server} left in maintenance")
            elif admin == "ready" and record.get("admin") == "ready":
                said.append(f"{server} in traffic already")
            else:
                entering.append(server)
        if not entering:
            return judged(True, ", ".join(said))
        with pool.locked():
            for server in entering:
                pool.note(server, by=by)
        good, seen = enter(pool, float(up_seconds), float(bake_seconds), path, host, entering)
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    return judged(good, ", ".join([seen, *said]))


if __name__ == "__main__":
    run(main, __doc__, 7)

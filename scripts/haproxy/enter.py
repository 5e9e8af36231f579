#!/usr/bin/env python3
"""Bring servers into traffic, watch them there, and take bad ones out again.

Usage: enter.py BY POOL UP_SECONDS BAKE_SECONDS PATH HOSTHEADER SERVER…

Prints `good: …` or `bad: …`, then the verdict for programs. A server without wanted=in stays out of traffic.
"""

import http.client
import time

import enter_traffic
import pool as pools
import runtime
from exit_codes import counted, judged, log, refused, run

# A server is bad if a larger share of its answers are errors. Before the end of the watch it also needs so many errors.
ERRORS_PERCENT = 1
ERRORS_EARLY = 3
# The watch sends at least so many requests of its own, however short it is.
OWN_REQUESTS = 10


def ask_page(address, path, host):
    """Send one request: None if its answer is good, otherwise what is wrong."""
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
    """The address to ask: a bind to every address is asked at 127.0.0.1."""
    name, _, port = address.rpartition(":")
    return f"{'127.0.0.1' if name in ('', '*', '0.0.0.0') else name}:{port}"


class Watch:
    """Servers in traffic, from now on: their counters, their checks, and a few requests through the frontend."""

    def __init__(self, pool, path, host, servers):
        self.pool, self.path, self.host, self.servers = pool, path, host, servers
        self.first = self.rows()
        self.asked, self.failed, self.why = 0, 0, ""
        # In maintenance the frontend answers with the page only, so the servers are asked directly.
        known = pool.servers()
        in_maintenance = pool.maintenance()
        self.targets = [known[server] for server in servers] if in_maintenance else [here(bind) for bind in pool.binds()]

    def rows(self):
        stat = runtime.stat()
        return {server: stat[(self.pool.name, server)] for server in self.servers}

    def ask(self):
        address = self.targets[self.asked % len(self.targets)]
        self.asked += 1
        wrong = ask_page(address, self.path, self.host)
        if wrong:
            self.failed += 1
            self.why = f"{wrong} from {address}{self.path}"

    def grown(self, server, now, *columns):
        """How much counters grew. A reload resets them to 0."""
        before = runtime.count(self.first[server], *columns)
        after = runtime.count(now[server], *columns)
        return after - before if after >= before else after

    def bad(self, now, errors_least):
        """Reasons by server. Fewer errors than ERRORS_LEAST are ignored."""
        reasons = {}
        for server, row in now.items():
            if not row["status"].startswith("UP"):
                reasons[server] = f"{server} went {enter_traffic.look(self.pool, server)[1]}"
                continue
            answers = self.grown(server, now, "hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx")
            errors = self.grown(server, now, "hrsp_5xx")
            broken = self.grown(server, now, "econ", "eresp")
            if errors >= errors_least and errors * 100 > answers * ERRORS_PERCENT:
                reasons[server] = f"{server} answered {errors} of {answers} with 5xx"
            elif broken >= errors_least and broken * 100 > (answers + broken) * ERRORS_PERCENT:
                reasons[server] = f"{server} broke off {broken} of {answers + broken}"
        return reasons

    def through(self, seconds):
        """Watch for SECONDS, or until a server is bad."""
        until = time.monotonic() + seconds
        while True:
            self.ask()
            now = self.rows()
            over = time.monotonic() >= until and self.asked >= OWN_REQUESTS
            reasons = self.bad(now, 1 if over else ERRORS_EARLY)
            if reasons or over:
                return now, reasons
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
    """The verdict and its reason. At the end only bad servers are out of traffic."""
    bad = enter_traffic.join(pool, servers, up_seconds)
    stay = [server for server in servers if server not in bad]
    if stay:
        watch = Watch(pool, path, host, stay)
        log(f"watching {', '.join(stay)} for {bake_seconds:g} s")
        now, reasons = watch.through(bake_seconds)
        if not reasons and watch.failed * 100 > watch.asked * ERRORS_PERCENT:
            reasons = dict.fromkeys(stay, f"{watch.failed} of {watch.asked} requests of the watch failed: {watch.why}")
        bad.update(reasons)
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
        notes, entering = [], []
        for server in servers:
            record = pool.record(server)
            admin = runtime.admin_of(states[server])
            if record.get("wanted") != "in":
                if admin != "maint":
                    raise refused(f"{server} is {admin} in HAProxy, but wanted is {record.get('wanted') or 'out'}; drain {server} first: npx pulumi up")
                notes.append(f"{server} stays in maintenance")
            elif admin == "ready" and record.get("admin") == "ready":
                notes.append(f"{server} in traffic already")
            else:
                entering.append(server)
        if not entering:
            return judged(True, ", ".join(notes))
        with pool.locked():
            for server in entering:
                pool.note(server, by=by)
                enter_traffic.reach(pool, server)
        good, reason = enter(pool, float(up_seconds), float(bake_seconds), path, host, entering)
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    return judged(good, ", ".join([reason, *notes]))


if __name__ == "__main__":
    run(main, __doc__, 7)

"""How a server enters traffic: HAProxy checks it while it gets no requests, and only then sets it ready."""

import time

import runtime
from exit_codes import log


def look(pool, server):
    """HAProxy's check of a server: whether it has passed often enough, and its result in words."""
    row = runtime.stat()[(pool.name, server)]
    health, full = runtime.count(row, "check_health"), runtime.count(row, "check_rise", "check_fall") - 1
    # HAProxy 2.6 shows a running check as `* L7OK`.
    words = " ".join(part for part in (row["check_status"].lstrip("* "), row["check_code"], row["last_chk"]) if part)
    passed = not row["status"].startswith(("DOWN", "MAINT")) and health == full and row["check_status"].endswith("OK")
    return passed, f"{row['status']} ({words})"


def reach(pool, server):
    """Reach a server that is out of traffic where the template has it: it listens there since its release."""
    place, state = pool.servers()[server], runtime.servers_state(pool.name)[server]
    if runtime.admin_of(state) == "ready":
        return
    if runtime.place_of(state) != place:
        log(f"HAProxy reaches {server} at {place} from now on, not at {runtime.place_of(state)}")
        runtime.set_place(pool.name, server, place)
    if pool.record(server).get("at"):
        pool.note(server, at=None)
        pool.compose()


def join(pool, servers, seconds):
    """Bring servers into traffic. A server that is not UP in time goes back to maintenance. Returns the reasons by server."""
    with pool.locked():
        states = pool.require(servers)
        for server in servers:
            if runtime.admin_of(states[server]) == "maint":
                log(f"HAProxy checks {server} before it sends any request there")
                runtime.set_state(pool.name, server, "drain")
    waiting, bad = list(servers), {}
    until = time.monotonic() + seconds
    while waiting:
        for server in list(waiting):
            passed, words = look(pool, server)
            if passed:
                waiting.remove(server)
            elif time.monotonic() > until:
                waiting.remove(server)
                bad[server] = f"{server} is not UP after {seconds:g} s: {words}"
        time.sleep(0.03)
    with pool.locked():
        pool.require(servers)
        for server in servers:
            if server in bad:
                runtime.set_state(pool.name, server, "maint")
            else:
                log(f"bringing {server} into traffic")
                runtime.set_state(pool.name, server, "ready")
    return bad

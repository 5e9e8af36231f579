"""How a server comes into traffic: checked by HAProxy while nobody is sent to it, and only then ready."""

import time

import runtime
from saying import log


def look(pool, server):
    """What HAProxy's own check says of a server: whether it has passed all that it needs, and in words."""
    row = runtime.stat()[(pool.name, server)]
    health, full = runtime.count(row, "check_health"), runtime.count(row, "check_rise", "check_fall") - 1
    # In 2.6 a check under way shows as `* L7OK`.
    said = " ".join(part for part in (row["check_status"].lstrip("* "), row["check_code"], row["last_chk"]) if part)
    passed = not row["status"].startswith(("DOWN", "MAINT")) and health == full and row["check_status"].endswith("OK")
    return passed, f"{row['status']} ({said})"


def join(pool, servers, seconds):
    """Bring servers into traffic; one that its check does not find ready in time goes back to maintenance. Why, by name."""
    with pool.locked():
        states = pool.require(servers)
        for server in servers:
            if runtime.admin_of(states[server]) == "maint":
                log(f"{server} is checked by HAProxy before anybody is sent to it")
                runtime.set_state(pool.name, server, "drain")
    waiting, bad = list(servers), {}
    until = time.monotonic() + seconds
    while waiting:
        for server in list(waiting):
            passed, said = look(pool, server)
            if passed:
                waiting.remove(server)
            elif time.monotonic() > until:
                waiting.remove(server)
                bad[server] = f"{server} was not UP within {seconds:g} s: {said}"
        time.sleep(0.03)
    with pool.locked():
        pool.require(servers)
        for server in servers:
            if server in bad:
                runtime.set_state(pool.name, server, "maint")
            else:
                log(f"{server} into traffic")
                runtime.set_state(pool.name, server, "ready")
    return bad

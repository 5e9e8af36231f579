#!/usr/bin/env python3
"""Open or close the site of a pool, and look from the outside whether it is so.

Usage: maintenance.py POOL on|off    switch: haproxy.cfg, and a HAProxy that runs
       maintenance.py POOL pass      whether every address shows the maintenance page
       maintenance.py POOL open      whether no address shows it
"""

import http.client

import pool as pools
import runtime
from enter import here
from saying import misuse, refused, run, timed_out

# The longest that requests from before may take to end.
END_S = 90


def switch(pool, wanted):
    with pool.locked():
        if not pool.template():
            raise refused(f"this machine has no configuration of pool {pool.name}; run up, which configures it")
        up = pools.running()
        why = runtime.trouble() if up else None
        if why:
            raise refused(f"{why}; nothing was changed")
        before = pool.maintenance()
        pools.write(f"{pool.folder}/maintenance", f"{wanted}\n")
        if pool.compose() and up:
            try:
                pools.check(pools.CONFIG)
                pools.reload_haproxy()
            except Exception:
                pools.write(f"{pool.folder}/maintenance", f"{'on' if before else 'off'}\n")
                pool.compose()
                raise
    if up and not pools.wait_for_old_workers(END_S):
        raise timed_out(f"requests from before still run after {END_S} s; wait longer (run up again), or cut them: systemctl restart haproxy")
    return "so" if up else "for its next start"


def seen(pool, bind):
    """What a client gets at one address: `page`, or what else."""
    address, _, port = here(bind).rpartition(":")
    asked = http.client.HTTPConnection(address, int(port), timeout=5)
    try:
        asked.request("GET", "/", headers={"Host": pool.host(), "Connection": "close"})
        answer = asked.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"no answer ({error})"
    finally:
        asked.close()
    marked = answer.headers.get("X-Maintenance") == pool.name and f"changeover-maintenance: {pool.name}" in text
    return "page" if answer.status == 503 and marked else f"status {answer.status} without the marker of the maintenance page"


def look(pool, wanted):
    found = {bind: seen(pool, bind) for bind in pool.binds()}
    if wanted == "pass":
        wrong = [f"{bind}: {said}" for bind, said in found.items() if said != "page"]
    else:
        wrong = [f"{bind}: the maintenance page" for bind, said in found.items() if said == "page"]
    if wrong:
        raise timed_out(f"FAIL: {'; '.join(wrong)}")
    return f"PASS at {', '.join(found)}"


def main(name, wanted):
    pool = pools.Pool(name)
    try:
        if wanted in ("on", "off"):
            return switch(pool, wanted)
        if wanted in ("pass", "open"):
            return look(pool, wanted) if pools.running() else "HAProxy does not run"
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    raise misuse(f"maintenance.py takes on, off, pass or open, got {wanted}")


if __name__ == "__main__":
    run(main, __doc__, 2)

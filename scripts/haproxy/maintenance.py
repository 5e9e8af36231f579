#!/usr/bin/env python3
"""Switch the maintenance of a pool's site, and check it at each address as a client does.

Usage: maintenance.py POOL on|off    switch it in haproxy.cfg and in a running HAProxy
       maintenance.py POOL pass      fail unless every address shows the maintenance page
       maintenance.py POOL open      fail if an address shows the maintenance page
"""

import http.client

import pool as pools
import runtime
from enter import here
from exit_codes import misuse, refused, run, timed_out

# Limit for requests from before the reload to end.
END_S = 90


def switch(pool, wanted):
    with pool.locked():
        if not pool.template():
            raise refused(f"this balancer has no configuration of pool {pool.name}; configure it: npx pulumi up")
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
        raise timed_out(f"requests from before the reload still run after {END_S} s; wait and run npx pulumi up again, or cut them: systemctl restart haproxy")
    return "switched" if up else "for its next start"


def seen(pool, bind):
    """What a client gets at one address: `page`, or a description of the answer."""
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
    answers = {bind: seen(pool, bind) for bind in pool.binds()}
    if wanted == "pass":
        wrong = [f"{bind}: {answer}" for bind, answer in answers.items() if answer != "page"]
    else:
        wrong = [f"{bind}: the maintenance page" for bind, answer in answers.items() if answer == "page"]
    if wrong:
        raise timed_out(f"FAIL: {'; '.join(wrong)}")
    return f"PASS at {', '.join(answers)}"


def main(name, wanted):
    pool = pools.Pool(name)
    try:
        if wanted in ("on", "off"):
            return switch(pool, wanted)
        if wanted in ("pass", "open"):
            return look(pool, wanted) if pools.running() else "HAProxy is not running"
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    raise misuse(f"maintenance.py takes on, off, pass or open, got {wanted}")


if __name__ == "__main__":
    run(main, __doc__, 2)

#!/usr/bin/env python3
"""Write the configuration of a pool, and reload a running HAProxy.

Usage: configure.py POOL    (stdin: the template, the whole text of haproxy.cfg)
"""

import os
import sys

import pool as pools
import runtime
from exit_codes import counted, log, refused, run, timed_out

PAGE = """<!doctype html>
<!-- {marker} -->
<html lang="en">
<title>Maintenance</title>
<h1>We will be back soon</h1>
<p>This site is in maintenance. Please try again in a few minutes.</p>
</html>
"""


def require_page(pool, template):
    """Write the maintenance page if it is missing; refuse a page without the marker that maintenance.py checks."""
    page, marker = pool.page(template), f"changeover-maintenance: {pool.name}"
    if page and not os.path.exists(page):
        pools.write(page, PAGE.format(marker=marker))
    if page and marker not in pools.read(page):
        raise refused(f"{page} is not a maintenance page of pool {pool.name}; add the line <!-- {marker} -->")


def leaving(pool, template):
    """Known servers that the template drops; refuse while one of them may have traffic."""
    gone = [name for name in pool.servers() if name not in pool.servers(template)]
    # If the socket is unusable, the new configuration may be what repairs it.
    if not gone or not pools.running():
        return gone
    why = runtime.trouble()
    if why:
        raise refused(f"{why}; nothing was changed")
    states = runtime.servers_state(pool.name)
    for name in gone:
        if name not in states:
            continue
        admin, left = runtime.admin_of(states[name]), runtime.sessions(pool.name, name)
        if admin != "maint" or left:
            raise refused(f"the configuration drops {name}, but {name} is {admin} with {counted(left, 'session')}; set {name} to out first; nothing was changed")
    return gone


def place(pool, template):
    """Write haproxy.cfg from the template and reload HAProxy; restore the old one if the reload fails."""
    old_template = pool.template()
    pools.write(f"{pool.folder}/template", template)
    pool.compose()
    if not pools.running():
        return "for its next start"
    try:
        pools.reload_haproxy()
    except Exception:
        log("restoring the old configuration")
        pools.write(f"{pool.folder}/template", old_template)
        pool.compose()
        pools.reload_haproxy()
        raise
    return "reloaded"


def main(name):
    pool, template = pools.Pool(name), sys.stdin.read().rstrip("\n") + "\n"
    try:
        with pool.locked():
            if not pool.servers(template) or not pool.binds(template):
                raise refused("the configuration has no server or no bind; add one to the pool; nothing was changed")
            require_page(pool, template)
            gone = leaving(pool, template)
            pool.keep_ports(template)
            candidate = f"{pool.folder}/candidate"
            if pools.read(pools.STATE) != pools.NO_STATE:
                pools.write(pools.STATE, pools.NO_STATE)
            pools.write(candidate, pool.composed(template))
            pools.check(candidate)
            os.remove(candidate)
            unchanged = template == pool.template() and pools.read(pools.CONFIG) == pool.composed()
            outcome = "unchanged" if unchanged else place(pool, template)
            for server in gone:
                pool.forget(server)
            differs = pool.differs() or (pool.misplaced() if pools.running() else None)
        if differs:
            raise timed_out(f"haproxy.cfg and HAProxy differ: {differs}")
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    return outcome


run(main, __doc__, 1)

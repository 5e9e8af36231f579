#!/usr/bin/env python3
"""Put the configuration of a pool in place, and have a HAProxy that runs take it over.

Usage: configure.py POOL    (stdin: the template, the whole text of haproxy.cfg)
"""

import os
import sys

import pool as pools
import runtime
from saying import counted, log, refused, run, timed_out

PAGE = """<!doctype html>
<!-- {marker} -->
<html lang="en">
<title>Maintenance</title>
<h1>We will be back soon</h1>
<p>This site is in maintenance. Please try again in a few minutes.</p>
</html>
"""


def require_page(pool, template):
    """The page of the template, with the marker that the check of the maintenance looks for."""
    page, marker = pool.page(template), f"changeover-maintenance: {pool.name}"
    if page and not os.path.exists(page):
        pools.write(page, PAGE.format(marker=marker))
    if page and marker not in pools.read(page):
        raise refused(f"{page} is no maintenance page of pool {pool.name}: it lacks the line <!-- {marker} -->")


def leaving(pool, template):
    """Servers that the template has no more; refused while one of them may have traffic."""
    gone = [name for name in pool.servers() if name not in pool.servers(template)]
    # A socket that can't be worked with is mended by the very configuration that is put in place.
    if not gone or not pools.running():
        return gone
    why = runtime.trouble()
    if why:
        raise refused(f"{why}; nothing was changed")
    told = runtime.servers_state(pool.name)
    for name in gone:
        if name not in told:
            continue
        admin, left = runtime.admin_of(told[name]), runtime.sessions(pool.name, name)
        if admin != "maint" or left:
            raise refused(f"{name} leaves the pool, but is {admin} with {counted(left, 'session')}; drain it first; nothing was changed")
    return gone


def place(pool, template):
    """The file from the template; back to what was there when HAProxy does not take it over."""
    old_template = pool.template()
    pools.write(f"{pool.folder}/template", template)
    pool.compose()
    if not pools.running():
        return "for its next start"
    try:
        pools.reload_haproxy()
    except Exception:
        log("putting the configuration back that was there")
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
                raise refused("the configuration has no server or no bind")
            require_page(pool, template)
            gone = leaving(pool, template)
            candidate = f"{pool.folder}/candidate"
            if pools.read(pools.STATE) != pools.NO_STATE:
                pools.write(pools.STATE, pools.NO_STATE)
            pools.write(candidate, pool.composed(template))
            pools.check(candidate)
            os.remove(candidate)
            as_it_is = template == pool.template() and pools.read(pools.CONFIG) == pool.composed()
            did = "so already" if as_it_is else place(pool, template)
            for server in gone:
                pool.forget(server)
            differs = pool.differs()
        if differs:
            raise timed_out(f"file and HAProxy do not agree: {differs}")
    except runtime.Unusable as error:
        raise refused(str(error)) from error
    return did


run(main, __doc__, 1)

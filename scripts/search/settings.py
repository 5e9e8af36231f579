#!/usr/bin/env python3
"""Change settings of a search cluster for a while, with what was found kept in the cluster itself, and put them back.

Usage: settings.py CLUSTER show                effective values, where they come from, and leases
       settings.py CLUSTER give-back LEASE     put back what a lease found; by hand, when no step of it runs

Also a module. A lease that lapses is put back by watch_leases.py on the nodes' hosts. Ends with 0, 75 or 77.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import index_block  # noqa: E402
import leases  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402

# Longer than this no step waits for somebody else's lease to lapse.
OUTWAIT_S = 90
# Whose lapse stops later steps: they rely on what it changed.
RELIED_ON = ("spot",)


def read(cluster, file=True):
    """The three scopes, as answered by the elected manager. file: whether its file is asked for too. @raise NoAnswer, Denied."""
    wait = f"{cluster.dialect['patience']}=5s"
    said = cluster.ask(f"/_cluster/settings?flat_settings=true&{wait}")
    scopes = {scope: dict(said.get(scope) or {}) for scope in leases.SCOPES} | {"file": {}}
    if file:
        answer = cluster.ask("/_nodes/_master/settings?flat_settings=true&filter_path=nodes.*.settings")
        for node in answer.get("nodes", {}).values():
            scopes["file"] = node.get("settings", {})
    return scopes


def put(cluster, body):
    """@raise NoAnswer, Denied."""
    cluster.put(f"/_cluster/settings?flat_settings=true&{cluster.dialect['patience']}=10s", body)


def who(by, seconds):
    """Whose lease it is: the transition's id, and a person's own when a script is run by hand."""
    return {"id": os.environ.get("CHANGEOVER_ID") or "by-hand", "by": by, "seconds": seconds}


def age_words(record):
    return f"{record['by']} ({record['id']}), renewed about {max(0, int(time.time()) - record['beat'])} s ago, lapses after {record['seconds']} s"


def outwait(cluster, lease, identity):
    """Wait until somebody else's lease has lapsed, and put it back. Ends with 77 when it lives."""
    first, since = None, time.monotonic()
    while True:
        record = leases.records(read(cluster, file=False), cluster.name).get(lease)
        if record is None or record["id"] == identity:
            return
        if record["seconds"] > OUTWAIT_S or (first and record["beat"] != first["beat"]):
            end(77, f"{cluster.name} is changed for a while by another run, lease {lease}: {age_words(record)}; let that run end first")
        if first is None:
            narrate(f"lease {lease} of {cluster.name} is held by {age_words(record)}; waiting until it lapses")
            first = record
        if time.monotonic() - since > record["seconds"]:
            give_back(cluster, lease, record["id"], mark=lease in RELIED_ON)
            return
        time.sleep(0.5)


def take(cluster, lease, holder, values=None, lists=None, *, clear=(), more=None):
    """Change settings and record the lease, in one PUT. A second run keeps what the first one found.

    values, lists: of `leases.taken`; a function of the scopes gives them too. Ends with 77 while another one's lease lives.
    @raise NoAnswer, Denied
    """
    scopes = read(cluster)
    found = leases.records(scopes, cluster.name).get(lease)
    if found and found["id"] != holder["id"]:
        outwait(cluster, lease, holder["id"])
        scopes = read(cluster)
    values, lists = (part(scopes) if callable(part) else part for part in (values, lists))
    put(cluster, leases.taken(scopes, cluster.name, lease, holder, values, lists, clear=clear, now=time.time(), more=more))


def renew(cluster, lease, identity, more=None):
    """False when the lease is not `identity`'s any more. @raise NoAnswer, Denied."""
    body = leases.renewed(read(cluster, file=False), cluster.name, lease, identity, now=time.time(), more=more)
    if body is not None:
        put(cluster, body)
    return body is not None


def give_back(cluster, lease, identity=None, *, mark=False, record=None):
    """Put back what the lease found; words of what stays otherwise. None without such a lease of `identity` (any, without one).

    record: only while the lease is still this one, beat and all. @raise NoAnswer, Denied
    """
    scopes = read(cluster)
    now = leases.records(scopes, cluster.name).get(lease)
    if now is None or identity not in (None, now["id"]) or (record and record["beat"] != now["beat"]):
        return None
    # An index is let go before the record of it: whoever comes next finds either both or none.
    index_block.let_go(cluster, now)
    body, words = leases.given_back(scopes, cluster.name, lease, mark=mark)
    put(cluster, body)
    for line in words:
        narrate(line)
    return words


def show(cluster):
    scopes = read(cluster)
    for key in (leases.ENABLE, leases.EXCLUDE, leases.AWARENESS):
        value, scope = leases.effective(scopes, key)
        print(f"{key}: {leases.shown(value)}{f' ({scope})' if scope else ''}")
    for lease, record in sorted(leases.records(scopes, cluster.name).items()):
        print(f"lease {lease}: {age_words(record)}; found {record['found']}")
    for one in leases.expired_of(scopes, cluster.name):
        print(f"expired: {one}")


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if not (len(words) == 2 and words[1] == "show" or len(words) == 3 and words[1] == "give-back"):
        end(64, f"settings.py takes CLUSTER show|give-back LEASE, got: {' '.join(words)}")
    cluster = Cluster(load(words[0]))
    try:
        if words[1] == "show":
            show(cluster)
        elif give_back(cluster, words[2]) is None:
            print(f"{cluster.name} has no lease {words[2]}")
        else:
            print(f"lease {words[2]} of {cluster.name} is given back")
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])

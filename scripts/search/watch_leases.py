#!/usr/bin/env python3
"""Put lapsed leases of a search cluster back: for a run that died, or whose host did.

Usage: watch_leases.py CLUSTER

Started by a timer each 10 s, and runs on while a short lease is there. A lease has lapsed when its record has not changed for its
seconds, by this host's own clock since it started: no clock of another host counts. Several watches at once do no harm. It says
what it does on stdout, for the journal.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import leases  # noqa: E402
import scratch  # noqa: E402
import settings  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, load  # noqa: E402

RUN = os.environ.get("CHANGEOVER_WATCH", "/run/changeover-search")
# A lease of at most this many seconds is looked at each second, one of hours at each start.
SHORT_S = 120
LONGEST_S = 540
SILENT_S = 600


def kept(path):
    """What the last look saw; nothing after a reboot, and nothing when it can't be read."""
    try:
        with open(path, encoding="utf8") as file:
            seen = json.load(file)
        return seen if isinstance(seen.get("leases"), dict) else {"leases": {}}
    except (OSError, ValueError, AttributeError):
        return {"leases": {}}


def keep(path, seen):
    os.makedirs(RUN, mode=0o755, exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf8") as file:
        json.dump(seen, file)
    os.replace(f"{path}.new", path)


def lapsed(seen, records, now):
    """(leases that have lapsed, what is seen now): how long each record has been as it is, by `now` in seconds of this host."""
    after = {}
    for lease, record in records.items():
        before = seen.get(lease, {})
        same = before.get("id") == record["id"] and before.get("beat") == record["beat"] and before.get("since", now) <= now
        after[lease] = {"id": record["id"], "beat": record["beat"], "since": before["since"] if same else now}
    return [lease for lease, one in after.items() if now - one["since"] >= records[lease]["seconds"]], after


def look(cluster, seen):
    """One look; the leases that are left. @raise NoAnswer, Denied."""
    records = leases.records(settings.read(cluster, file=False), cluster.name)
    late, seen["leases"] = lapsed(seen["leases"], records, time.monotonic())
    for lease in late:
        record = records.pop(lease)
        if lease == scratch.LEASE:
            deleted, kept = scratch.remove(cluster)
            say(f"scratch indexes of a rehearsal that died: {len(deleted)} deleted, {len(kept)} with an alias kept")
        words = settings.give_back(cluster, lease, record["id"], mark=lease in settings.RELIED_ON, record=record)
        if words is not None:
            say(f"lease {lease} of {record['by']} ({record['id']}) was not renewed for {record['seconds']} s; what it changed is put back")
        for word in words or []:
            say(word)
        seen["leases"].pop(lease, None)
    return records


def say(text):
    print(text, flush=True)


def main(name):
    cluster, path, start = Cluster(load(name)), f"{RUN}/{name}.json", time.monotonic()
    seen = kept(path)
    while True:
        try:
            records = look(cluster, seen)
            if seen.pop("silent", None) is not None:
                say(f"{name} answers again")
        except (NoAnswer, Denied) as error:
            now, records = time.monotonic(), {}
            if not 0 <= now - seen.get("silent", -SILENT_S) < SILENT_S:
                say(f"{name} can't be asked for leases; it is asked again each 10 s: {error}")
                seen["silent"] = now
        keep(path, seen)
        left = time.monotonic() - start
        if left > LONGEST_S or not any(record["seconds"] <= SHORT_S for record in records.values()):
            return
        time.sleep(1)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    main(sys.argv[1])

#!/usr/bin/env python3
"""Copy a Solr index from the peer, the other machine of a pair, while Solr runs on both.

Usage: copy-index.py PAIR NAME [--final]    (--final: first commit the peer's changes)

Reads /etc/PAIR/PAIR.conf, /etc/PAIR/rsync.pass, and from /etc/PAIR/carries the lines
indexes.NAME.core, .port, .data and .rsyncPort. Changes of the index on this machine are
dropped. When the copy fails at any point, the index in service stays. Refuses (77) to
replace an index that had a commit by one that never had; without --final it refuses a
machine whose PostgreSQL accepts writes.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from facts import database  # noqa: E402
from files import pairs_of  # noqa: E402
from index_copy import STARTED, Copy, end  # noqa: E402
from role import data_of, runs  # noqa: E402
from solr import FAULTS  # noqa: E402


def main():
    words = [word for word in sys.argv[1:] if word != "--final"]
    if len(words) != 2 or words[0].startswith("-"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    copy, final = Copy(*words), "--final" in sys.argv
    server = runs(data_of(words[0]))
    if not final and database(words[0], server)["in_recovery"] is False:
        end(77, f"PostgreSQL on {copy.self} accepts writes, so {copy.self} is production and keeps its index {copy.name}")
    copy.lock()
    try:
        outcome = copy.run(final)
    except FAULTS as error:
        end(75, f"Solr of {copy.name} on {copy.peer} or {copy.self} does not answer: {error!r}")
    print(f"{words[0]} {outcome} {time.monotonic() - STARTED:.2f}")


main()

#!/usr/bin/env python3
"""Print pg_hba.conf of a pair's cluster: its own lines in a marked block, and the lines of others where they are.

Usage: pg_hba.py FILE ROLE…    (stdin: the lines of the block)

FILE is pg_hba.conf as it is now. Without the block, it is Debian's own file and is replaced; or an
earlier release wrote it: then its lines are replaced, and each ROLE, which clients could log in as
until now, keeps lines of its own after the block.
"""

import re
import sys

BEGIN = "# --- Changeover: this block is written again by each provisioning; your lines above and below it stay"
END = "# --- end of Changeover's block"
EARLIER = re.compile(
    r"local all postgres peer|local all all scram-sha-256|host (replication|all) changeover \S+/32 scram-sha-256|host all all \S+ scram-sha-256"
)
CLIENTS = re.compile(r"host all all (?!127\.0\.0\.1/32 )(\S+) scram-sha-256")
DEBIAN = "# PostgreSQL Client Authentication Configuration File"


def merged(old, block, roles):
    """The lines of the new file. @param old lines of the file, or none."""
    block = [BEGIN, *block, END]
    if BEGIN in old and END in old[old.index(BEGIN) :]:
        begin = old.index(BEGIN)
        end = old.index(END, begin)
        return [*old[:begin], *block, *old[end + 1 :]]
    if any(line.startswith(DEBIAN) for line in old):
        return block
    networks = [found[1] for line in old if (found := CLIENTS.fullmatch(line.strip()))]
    kept = [f'host all "{role}" {network} scram-sha-256' for role in roles for network in networks]
    if kept:
        kept.insert(0, "# Until this release every role could log in. Remove what is not needed; name the databases:")
    return [*block, *kept, *(line for line in old if not EARLIER.fullmatch(line.strip()))]


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    try:
        with open(sys.argv[1], encoding="utf8", errors="surrogateescape") as file:
            old = file.read().splitlines()
    except FileNotFoundError:
        old = []
    sys.stdout.reconfigure(errors="surrogateescape")
    print("\n".join(merged(old, sys.stdin.read().splitlines(), sys.argv[2:])))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Print why no server can start with this machine's data of a pair; nothing when one may. Read-only.

Usage: usable.py PAIR
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from files import text_of  # noqa: E402
from role import BIN, PG_MAJOR, data_of, run  # noqa: E402

CONTROL_LIMIT_S = 2


def why_unusable(pair):
    """In words; None for data that is whole as far as its version and its control file say."""
    data = data_of(pair)
    version = (text_of(f"{data}/PG_VERSION") or "").strip()
    if not version:
        return f"{data} has no database"
    if version != PG_MAJOR:
        return f"{data} is of PostgreSQL {version}, not {PG_MAJOR}"
    control = run([f"{BIN}/pg_controldata", data], CONTROL_LIMIT_S, env={"LC_ALL": "C"})
    if "Database system identifier:" not in control or "WARNING" in control:
        return f"the control file of {data} is broken"
    return None


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    print(why_unusable(sys.argv[1]) or "", end="")


if __name__ == "__main__":
    main()

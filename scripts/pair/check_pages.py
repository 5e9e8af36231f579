#!/usr/bin/env python3
"""Check once the pages that a pair serves.

Usage: check_pages.py ADDRESS PAGES    (JSON: {name: {port, path, status, host?, contains?}})

Ends with 0 when every page is right; else with 1 and a line on stderr for each wrong page.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from port_checks import page_is_right  # noqa: E402

LIMIT_S = 5


def why_wrong(address, page):
    try:
        return page_is_right(address, page, LIMIT_S)
    except OSError as error:
        return str(error)


def main():
    if len(sys.argv) != 3 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    address, pages = sys.argv[1], json.loads(sys.argv[2])
    reasons = {name: why_wrong(address, page) for name, page in pages.items()}
    sys.exit("\n".join(f"{name}: {why}" for name, why in reasons.items() if why) or 0)


main()

#!/usr/bin/env python3
"""Look at this machine for an upgrade of its package to VERSION: one line of JSON on stdout. Read-only.

Usage: probe.py COMPONENT NAME [VERSION]

Without VERSION the repositories are not read.
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from host import settings_of, start  # noqa: E402
from host_facts import facts_of  # noqa: E402
from packages import VERSION  # noqa: E402
from records import records_of  # noqa: E402


def main(component, name, version=None):
    if version and not VERSION.fullmatch(version):
        sys.exit(64)
    settings = settings_of(name)
    print(json.dumps({**records_of(component), "configured": bool(settings), **(facts_of(settings, version) if settings else {})}))


start(main, __doc__, 2, 3)

#!/usr/bin/env python3
"""Say what this machine has recorded of components: one line of JSON on stdout. Read-only.

Usage: marks.py COMPONENT…
"""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
    print(__doc__)
    sys.exit(0 if sys.argv[1:] == ["--help"] else 64)

from records import records_of  # noqa: E402

of = {component: records_of(component) for component in sys.argv[1:]}
print(json.dumps({"now_ms": max(facts["now_ms"] for facts in of.values()), "components": of}))

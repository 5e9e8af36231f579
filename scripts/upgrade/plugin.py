"""What the standing checks share: one line and an exit code, as monitoring plugins have them; silence; the file of state."""

import os
import sys
import time

from host import ROOT, SETTINGS, pairs_of, settings_of

NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def silenced_until(name):
    """Until when nobody is to be alarmed, 0 when that is over."""
    until = (pairs_of(f"{ROOT}/{name}/silenced") or {}).get("until", "")
    return int(until) if until.isdigit() and int(until) > time.time() else 0


def leave(file, before, code, line, kept):
    """Code and line in a file of KEY=VALUE, with the time since which the code is what it is, and what the next look asks for."""
    now = time.strftime("%FT%T%z")
    since = before.get("since", now) if before.get("code") == str(code) else now
    os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
    with open(f"{file}.new", "w", encoding="utf8") as new:
        for key, value in {"code": code, "line": line, "at": now, "since": since, **kept}.items():
            new.write(f"{key}={value}\n")
    os.replace(f"{file}.new", file)


def carry_out(title, check, doc):
    """
    Run `check(settings, before)`, which returns (code, text, what to keep), as the words of the command line say; `before` has
    what was kept the last time.
    """
    words = sys.argv[1:]
    if len(words) not in (1, 3) or words[0].startswith("-") or (len(words) == 3 and words[1] != "--state"):
        print(doc.strip())
        sys.exit(0 if words == ["--help"] else 3)
    before, kept = (pairs_of(words[2]) if len(words) == 3 else None) or {}, {}
    try:
        settings = settings_of(words[0])
        code, text, kept = check(settings, before) if settings else (3, f"this host was not told of {words[0]} ({SETTINGS}/{words[0]})", {})
    except Exception as error:  # pylint: disable=broad-except
        code, text = 3, f"{words[0]}: {error}"
    line, until = f"{title} {NAMES[code]} - {text}", silenced_until(words[0])
    if until:
        code, line = 0, f"silenced until {time.strftime('%H:%M:%S', time.localtime(until))}, {line}"
    if len(words) == 3:
        leave(words[2], before, code, line, kept)
    print(line)
    sys.exit(code)

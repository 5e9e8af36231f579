"""Shared by disk-check.py and services-check.py: the line and exit code of a monitoring plugin, silence, the state file."""

import os
import sys
import time

from host import ROOT, SETTINGS, pairs_of, settings_of

NAMES = ("OK", "WARNING", "CRITICAL", "UNKNOWN")


def silenced_until(name):
    """The end of the silence, or 0 if alerts are on."""
    until = (pairs_of(f"{ROOT}/{name}/silenced") or {}).get("until", "")
    return int(until) if until.isdigit() and int(until) > time.time() else 0


def write_state(file, before, code, line, kept):
    """Write code, line, the time since which the code is the same, and what the next check needs, as KEY=VALUE lines."""
    now = time.strftime("%FT%T%z")
    since = before.get("since", now) if before.get("code") == str(code) else now
    os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
    with open(f"{file}.new", "w", encoding="utf8") as new:
        for key, value in {"code": code, "line": line, "at": now, "since": since, **kept}.items():
            new.write(f"{key}={value}\n")
    os.replace(f"{file}.new", file)


def carry_out(title, check, doc):
    """
    Run `check(settings, before)` as the command line says. It returns (code, text, what to keep); `before` is what the last
    check kept.
    """
    words = sys.argv[1:]
    if len(words) not in (1, 3) or words[0].startswith("-") or (len(words) == 3 and words[1] != "--state"):
        print(doc.strip())
        sys.exit(0 if words == ["--help"] else 3)
    before, kept = (pairs_of(words[2]) if len(words) == 3 else None) or {}, {}
    try:
        settings = settings_of(words[0])
        code, text, kept = check(settings, before) if settings else (3, f"this host has no settings for {words[0]} ({SETTINGS}/{words[0]} is missing)", {})
    except Exception as error:  # pylint: disable=broad-except
        code, text = 3, f"{words[0]}: {error}"
    line, until = f"{title} {NAMES[code]} - {text}", silenced_until(words[0])
    if until:
        code, line = 0, f"silenced until {time.strftime('%H:%M:%S', time.localtime(until))}, {line}"
    if len(words) == 3:
        # A full disk is what the check is for: it is told, whether or not it can be noted.
        try:
            write_state(words[2], before, code, line, kept)
        except OSError as error:
            line += f" ({words[2]} can't be written: {error.strerror})"
    print(line)
    sys.exit(code)

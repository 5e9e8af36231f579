#!/usr/bin/env python3
"""Ask the package system of this host about the package. Read-only.

Usage: packages.py NAME kind | whole | found | held
       packages.py NAME newer VERSION OTHER

`whole` prints the completely installed version, `found` also a half installed one; both may print nothing. `held` prints
why the package must not be changed. `newer` ends with 0 if VERSION is newer than OTHER, else with 1.
"""

import glob
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from host import Refused, load, run, start  # noqa: E402

LIMIT_S = 10
VERSION = re.compile(r"[0-9][0-9A-Za-z.+~^_:-]*")
LOCKS = ("/etc/dnf/plugins/versionlock.list", "/etc/yum/pluginconf.d/versionlock.list", "/etc/dnf/versionlock.toml")


def kind_of(settings):
    """deb or rpm: from the settings, else the system that has the package, else the system that exists."""
    kind = settings.get("kind", "auto")
    if kind != "auto":
        return kind
    has_rpm = shutil.which("rpm") and run(["rpm", "-q", settings["package"]], LIMIT_S)[0] == 0
    yum = shutil.which("dnf") or shutil.which("yum")
    return "rpm" if has_rpm or (yum and not shutil.which("apt-get")) else "deb"


def installed(settings):
    """(version or None, whether it is completely installed). Two rpm versions come from an interrupted transaction."""
    package = settings["package"]
    if kind_of(settings) == "rpm":
        code, out, _ = run(["rpm", "-q", "--qf", r"%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\n", package], LIMIT_S)
        versions = out.split() if code == 0 else []
        return (versions[-1], len(versions) == 1) if versions else (None, False)
    code, out, _ = run(["dpkg-query", "-Wf", "${db:Status-Status} ${db:Status-Eflag} ${Version}\n", package], LIMIT_S)
    words = out.split() if code == 0 else []
    if len(words) < 3 or words[0] in ("not-installed", "config-files"):
        return None, False
    return words[2], words[:2] == ["installed", "ok"]


def parts(version):
    epoch, _, rest = version.rpartition(":")
    number, _, release = rest.rpartition("-") if "-" in rest else (rest, "", "")
    return epoch or "0", number, release


def newer(kind, version, other):
    """Whether a version is newer than another, as the package system compares them."""
    if not (VERSION.fullmatch(version) and VERSION.fullmatch(other)):
        raise Refused(f"\"{version}\" or \"{other}\" is not a package version")
    if kind == "deb":
        return run(["dpkg", "--compare-versions", version, "gt", other], LIMIT_S)[0] == 0
    for ours, theirs in zip(parts(version), parts(other)):
        code, said, err = run(["rpm", "--eval", f'%{{lua:print(rpm.vercmp("{ours}","{theirs}"))}}'], LIMIT_S)
        if code != 0 or said not in ("-1", "0", "1"):
            raise Refused(f"rpm can't compare {ours} with {theirs}: {err or said}")
        if said != "0":
            return said == "1"
    return False


def held(settings):
    """Why the package must not be changed, with the cure; None if it may be."""
    package = settings["package"]
    if kind_of(settings) == "deb":
        words = run(["dpkg-query", "-Wf", "${db:Status-Want}", package], LIMIT_S)[1]
        return f"{package} is held (apt-mark hold); release it: apt-mark unhold {package}" if words == "hold" else None
    named = re.compile(rf"(?m)^(?:!?|name *= *\"?){re.escape(package)}(?:-[0-9*]|\"?$)")
    for file in filter(os.path.exists, (*LOCKS, *glob.glob("/etc/dnf/versionlock.d/*"))):
        with open(file, encoding="utf8", errors="replace") as text:
            if named.search(text.read()):
                return f"{package} is held ({file}); release it: dnf versionlock delete {package}"
    return None


def main(name, what, *versions):
    settings = load(name)
    if what == "newer" and len(versions) == 2:
        sys.exit(0 if newer(kind_of(settings), *versions) else 1)
    version, whole = installed(settings)
    said = {"kind": kind_of(settings), "found": version, "whole": version if whole else None, "held": held(settings)}
    if what not in said:
        sys.exit(64)
    print(said[what] or "")


if __name__ == "__main__":
    start(main, __doc__, 2, 4)

#!/usr/bin/env python3
"""What the repositories of this host offer. Read-only.

Usage: repository.py NAME offered

Prints the versions of the package in this host's own lists, one a line. As a module it reads new lists into a temporary
folder, so nothing on the host changes.
"""

import math
import os
import re
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from host import last_line, load, run, start  # noqa: E402
from packages import kind_of  # noqa: E402

LIMIT_S = 60
# dnf ends with 0 although it left a repository out.
UNREAD = re.compile(r"Failed to download|Ignoring repositories|Errors during downloading")
CONF = """Dir::Etc::Parts "{place}/parts/";
Dir::State::Lists "{place}/lists/";
Dir::Cache "{place}/cache/";
APT::Sandbox::User "root";
"""
# The host's own hooks around an update do not run here.
CLEAR = "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"


def deb_offered(package, isolated=()):
    lines = run([*isolated, "apt-cache", "madison", package], 10)[1].splitlines()
    return sorted({line.split("|")[1].strip() for line in lines if line.count("|") >= 2 and line.rstrip().endswith("Packages")})


def rpm_offered(package, options=()):
    """({version: bytes unpacked, or None}, why the repositories can't be read)."""
    program = shutil.which("dnf") or shutil.which("yum")
    if not program:
        return {}, "the host has neither dnf nor yum"
    words = ["--showduplicates", "list", "available", package]
    if program.endswith("dnf"):
        # dnf 5 ends no line by itself, and dnf 4 then leaves one empty.
        words = ["repoquery", "--qf=%{epoch}:%{version}-%{release} %{installsize}\n", package]
    code, out, error = run([program, "-q", *options, *words], LIMIT_S)
    if code != 0:
        return {}, f"no answer within {LIMIT_S} s" if code is None else last_line(error or out)
    unread = next((line for line in error.splitlines() if UNREAD.search(line)), None)
    lines = [line.split() for line in out.splitlines() if len(line.split()) >= 2]
    if program.endswith("dnf"):
        return {words[0].removeprefix("0:"): int(words[1]) if words[1].isdigit() else None for words in lines}, unread
    return {words[1]: None for words in lines if words[0].startswith(f"{package}.")}, unread


def deb(package, version, place):
    """(offered, why the repositories can't be read, MiB unpacked)."""
    shutil.copytree("/etc/apt/apt.conf.d", f"{place}/parts", dirs_exist_ok=True)
    for folder in ("lists/partial", "cache/archives/partial"):
        os.makedirs(f"{place}/{folder}")
    # With the host's own lists as a start, only changes are downloaded.
    run(["cp", "-a", "--reflink=auto", "/var/lib/apt/lists/.", f"{place}/lists"], LIMIT_S)
    for file, text in (("apt.conf", CONF.format(place=place)), ("parts/zz-changeover", CLEAR)):
        with open(f"{place}/{file}", "w", encoding="utf8") as conf:
            conf.write(text)
    isolated = ["env", f"APT_CONFIG={place}/apt.conf"]
    code, _, error = run([*isolated, "apt-get", "-q", "-o", "Debug::NoLocking=true", "-o", "Acquire::Retries=0", "update"], LIMIT_S)
    faults = [line for line in error.splitlines() if re.match(r"(E|W): .*(Failed|fetch|failed|not |error)", line)]
    why = None
    if code is None:
        why = f"no answer within {LIMIT_S} s"
    elif code or faults:
        why = faults[0] if faults else last_line(error)
    shown = run([*isolated, "apt-cache", "show", f"{package}={version}"], 10)[1]
    size = re.search(r"(?m)^Installed-Size: (\d+)", shown)
    return version in deb_offered(package, isolated), why, math.ceil(int(size[1]) / 1024) if size else None


def rpm(package, version, place):
    """The same."""
    folders = {"cachedir": f"{place}/cache", "logdir": place, "persistdir": f"{place}/persist"}
    offered, why = rpm_offered(package, [f"--setopt={key}={path}" for key, path in folders.items()])
    size = offered.get(version)
    return version in offered, why, math.ceil(size / 2**20) if size else None


def offers(settings, version):
    with tempfile.TemporaryDirectory(prefix="changeover-") as place:
        return (rpm if kind_of(settings) == "rpm" else deb)(settings["package"], version, place)


def main(name, _):
    settings = load(name)
    package = settings["package"]
    offered, why = rpm_offered(package) if kind_of(settings) == "rpm" else (deb_offered(package), None)
    if why:
        print(why, file=sys.stderr)
    print("\n".join(sorted(offered)))


if __name__ == "__main__":
    start(main, __doc__, 2, 2)

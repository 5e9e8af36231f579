"""What the repositories of this host offer. Package lists go to a temporary folder, so nothing on the host changes."""

import math
import os
import re
import shutil
import tempfile

from host import last_line, run
from packages import kind_of

LIMIT_S = 60
CONF = """Dir::Etc::Parts "{place}/parts/";
Dir::State::Lists "{place}/lists/";
Dir::Cache "{place}/cache/";
APT::Sandbox::User "root";
"""
# The host's own hooks around an update do not run here.
CLEAR = "#clear APT::Update::Pre-Invoke;\n#clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n"


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
    lines = run([*isolated, "apt-cache", "madison", package], 10)[1].splitlines()
    offered = [line.split("|")[1].strip() for line in lines if "|" in line]
    shown = run([*isolated, "apt-cache", "show", f"{package}={version}"], 10)[1]
    size = re.search(r"(?m)^Installed-Size: (\d+)", shown)
    return version in offered, why, math.ceil(int(size[1]) / 1024) if size else None


def rpm(package, version, place):
    program = shutil.which("dnf") or shutil.which("yum")
    if not program:
        return False, "the host has neither dnf nor yum", None
    folders = {"cachedir": f"{place}/cache", "logdir": place, "persistdir": f"{place}/persist"}
    isolated = [program, "-q", *(f"--setopt={key}={path}" for key, path in folders.items())]
    words = ["--showduplicates", "list", "available", package]
    if program.endswith("dnf"):
        words = ["repoquery", "--qf=%{epoch}:%{version}-%{release} %{installsize}\n", package]
    code, out, error = run([*isolated, *words], LIMIT_S)
    if code != 0:
        return False, f"no answer within {LIMIT_S} s" if code is None else last_line(error or out), None
    lines = [line.split() for line in out.splitlines() if len(line.split()) >= 2]
    if not program.endswith("dnf"):
        return version in [words[1] for words in lines], None, None
    offered = {words[0].removeprefix("0:"): words[1] for words in lines}
    size = offered.get(version, "")
    return version in offered, None, math.ceil(int(size) / 2**20) if size.isdigit() else None


def offers(settings, version):
    with tempfile.TemporaryDirectory(prefix="changeover-") as place:
        return (rpm if kind_of(settings) == "rpm" else deb)(settings["package"], version, place)

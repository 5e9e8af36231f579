#!/usr/bin/env python3
"""Make Java's archive of a version's classes: with it a node starts in less than half the time. The Python half of archive-classes.sh.

Usage: archive_classes.py CLUSTER MARK

The plan starts once on loopback, beside the node that runs, and Java writes the archive at its end (application class-data sharing,
https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html). Java itself refuses an archive of another Java or of other
jars, and starts without it. Without an archive a node starts as it ever did: so this is never a reason to stop an update.
Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
from cluster import end, load, narrate  # noqa: E402
from node_unit import CONFIG, Unit, output, read_record, write_record  # noqa: E402
from try_plan import Trial, answers  # noqa: E402

CACHE = os.environ.get("CHANGEOVER_CACHE", "/var/cache")
START_S, WRITE_S = 90, 90
# An archive of OpenSearch 2.19 has 69 MiB; it is written beside the one that is in use.
ROOM_BYTES = 256 << 20


def as_owner(facts, *words, seconds=30):
    """Run as the node's account, whose folder the archive is in; (whether it ended with 0, its words)."""
    words = ("setpriv", f"--reuid={facts['owner']}", f"--regid={facts['owner']}", "--clear-groups", "--no-new-privs", *words)
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=seconds, cwd="/", check=False)
    except (OSError, subprocess.SubprocessError) as error:
        return False, str(error)
    return done.returncode == 0, (done.stdout + done.stderr).strip()


def java_of(plan):
    """Which Java the plan starts: another build needs another archive."""
    with open(f"{plan}/environment", encoding="utf8") as file:
        home = next((line.rstrip("\n").split("=", 1)[1] for line in file if line.startswith("JAVA_HOME=")), "")
    found = os.stat(f"{home}/lib/modules")
    return f"{home}:{found.st_size}:{found.st_mtime_ns}"


def make(facts, mark, folder, name):
    """Seconds that it took. @raise RuntimeError with why there is none."""
    wanted = f"{folder}/{name}.new"
    as_owner(facts, "rm", "-f", wanted)
    trial = Trial(
        facts,
        mark,
        "classes",
        f"-XX:ArchiveClassesAtExit={wanted} -Xlog:cds=off -Xlog:cds+dynamic=off",
        (f"CacheDirectory={os.path.basename(folder)}", 'Environment="SEARCH_CLASSES="', f"TimeoutStopSec={WRITE_S}", "SuccessExitStatus=143"),
    )
    trial.finish()
    start = time.monotonic()
    try:
        port = trial.begin()
        while not answers(port):
            if time.monotonic() - start > START_S or not trial.alive():
                raise RuntimeError(f"the plan does not start beside the node: {trial.why()}")
            time.sleep(0.2)
        output("systemctl", "stop", trial.unit, seconds=WRITE_S + 20)
    finally:
        trial.finish()
    # "on": Java ends where "auto" would go on without an archive.
    launch = (f"SEARCH_CLASSES={wanted}", "SEARCH_JVM=-Xshare:on", f"{trial.plan}/launch", "--version")
    good, said = as_owner(facts, "env", *launch)
    if not good:
        as_owner(facts, "rm", "-f", wanted)
        raise RuntimeError(f"Java wrote no archive that it reads: {said.splitlines()[-1][:200] if said else 'it gives no reason'}")
    moved, said = as_owner(facts, "mv", "-f", wanted, f"{folder}/{name}")
    if not moved:
        raise RuntimeError(said[:200])
    return time.monotonic() - start


def prune(facts, folder, versions):
    """Archives of versions that no plan names go."""
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.removesuffix(".new") not in versions:
            as_owner(facts, "rm", "-rf", "--", f"{folder}/{name}")


def archive(facts, mark):
    cluster, own = facts["cluster"], facts["node"]
    unit, folder, name = Unit(cluster), f"{CACHE}/changeover-search-{cluster}", f"{facts['version']}.jsa"
    mark = unit.mark("next") if mark == "next" else mark
    plan = f"{CONFIG}/{cluster}/plans/{mark}"
    if not os.path.isfile(f"{plan}/launch"):
        end(77, f"{own} has no plan {mark} with a launch file ({plan}); run npx pulumi up")
    # The archive that is checked: a version's jars never change in their folder, which has the time of their unpacking.
    home = f"/opt/changeover-search/{cluster}/versions/{facts['version']}"
    key = {"java": java_of(plan), "jars": str(os.stat(home).st_ctime_ns)}
    if os.path.lexists(f"{folder}/{name}") and read_record(cluster, f"classes-{facts['version']}") == key:
        return f"{own} has an archive of the classes of {facts['version']} already", {"archive": "yes"}
    room = os.statvfs(CACHE)
    if room.f_bavail * room.f_frsize < ROOM_BYTES:
        return f"{own} starts without an archive of classes: {CACHE} has less than {ROOM_BYTES >> 20} MiB free", {"archive": "no"}
    narrate(f"starting {facts['version']} once on loopback of {own}, for an archive of its classes")
    try:
        took = make(facts, mark, folder, name)
    except RuntimeError as error:
        return f"{own} starts without an archive of classes: {error}", {"archive": "no"}
    plans = f"{CONFIG}/{cluster}/plans"
    used = set()
    for one in os.listdir(plans):
        with open(f"{plans}/{one}/version", encoding="utf8") as file:
            used.add(f"{file.read().strip()}.jsa")
    prune(facts, folder, used)
    write_record(cluster, f"classes-{facts['version']}", key)
    return f"{own} has an archive of the classes of {facts['version']}, made in {took:.1f} s", {"archive": "yes"}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 2:
        end(64, f"archive_classes.py takes CLUSTER MARK, got: {' '.join(words)}")
    keeper.end_with_parent()
    prose, pairs = archive(load(words[0]), words[1])
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])

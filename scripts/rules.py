#!/usr/bin/env python3
"""Keep this host's tables of nftables loaded: each file FOLDER/TABLE.nft, at boot and whenever its table is gone or changed.

Usage: rules.py FOLDER           load, and watch until told to end
       rules.py FOLDER --load    load what is not loaded; ends with 1 when a table can't be
       rules.py FOLDER --look    a line for each table that is not as its file says; read-only

Another program may flush the whole ruleset, for example `systemctl restart nftables`. `nft monitor` tells of it at once;
without its word all tables are looked at every LOOK_S seconds.
"""

import os
import select
import subprocess
import sys
import time

LOOK_S, STARTS_S, LIMIT_S = 5, 0.3, 20
RUN = "/run/changeover-rules"
FOLDER, UNIT = "/etc/changeover/rules", "changeover-rules.service"


def nft(*words):
    return subprocess.run(["nft", *words], capture_output=True, text=True, timeout=LIMIT_S, check=False)


def tables(folder):
    """The tables that this host is to have, by name."""
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return {name[:-4]: f"{folder}/{name}" for name in names if name.endswith(".nft")}


def text_of(path):
    try:
        with open(path, encoding="utf8") as file:
            return file.read()
    except OSError:
        return None


def listed(table):
    """The table as the kernel has it; None: it is not loaded."""
    done = nft("-s", "list", "table", "inet", table)
    return done.stdout if done.returncode == 0 else None


def is_loaded(table, file):
    """Whether the table is as it was after its file was loaded last. RUN has what that was."""
    now = listed(table)
    return now is not None and f"{text_of(file)}\n{now}" == text_of(f"{RUN}/{table}")


def load(table, file):
    """Load a table, and write down how the kernel lists it. @return why it can't be loaded, or None"""
    text = text_of(file)
    done = nft("-f", file)
    if done.returncode:
        return f"{file} can't be loaded: {done.stderr.strip().splitlines()[0] if done.stderr else done.returncode}"
    os.makedirs(RUN, mode=0o755, exist_ok=True)
    with open(f"{RUN}/{table}.new", "w", encoding="utf8") as record:
        record.write(f"{text}\n{listed(table)}")
    os.replace(f"{RUN}/{table}.new", f"{RUN}/{table}")
    return None


def state(table, folder=FOLDER):
    """What probes report of a table: loaded, missing, or unwatched (the next flush of the ruleset opens its ports)."""
    file = f"{folder}/{table}.nft"
    if listed(table) is None:
        return "missing"
    if not os.path.exists(file):
        return "unwatched"
    watched = subprocess.run(["systemctl", "is-active", "--quiet", UNIT], timeout=LIMIT_S, check=False).returncode == 0
    return "loaded" if watched and is_loaded(table, file) else "unwatched"


def keep(folder):
    """@return whether all tables are loaded"""
    wrong = {table: file for table, file in tables(folder).items() if not is_loaded(table, file)}
    for table, file in wrong.items():
        wrong[table] = load(table, file)
        print(wrong[table] or f"table {table} is loaded", flush=True)
    return not any(wrong.values())


def watch(folder):
    while True:
        with subprocess.Popen(["nft", "monitor"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as monitor:
            # What happens before it listens is seen by the second look.
            wait = STARTS_S
            while monitor.poll() is None:
                keep(folder)
                if select.select([monitor.stdout], [], [], wait)[0]:
                    os.read(monitor.stdout.fileno(), 65536)
                wait = LOOK_S
        time.sleep(STARTS_S)


def main():
    words = sys.argv[1:]
    if not words or words[0].startswith("-") or words[1:] not in ([], ["--load"], ["--look"]):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    if words[1:] == ["--load"]:
        sys.exit(0 if keep(words[0]) else 1)
    if words[1:]:
        wrong = [table for table, file in tables(words[0]).items() if not is_loaded(table, file)]
        print(*wrong, sep="\n", end="\n" if wrong else "")
    else:
        watch(words[0])


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Stop the programs of this host that write to a search cluster, and start them again. The Python half of pause-writers.sh.

Usage: writers.py CLUSTER pause BY REASON UNIT…     BY: who asks, pause or rescue
       writers.py CLUSTER resume BY

What ran is recorded before anything stops, once: a second run, and one after a kill, keep that record. A drop-in of each unit has
a condition, so that no timer, no reboot and no person starts it by accident. Resume starts exactly what ran, in its order, unless
another BY still asks for the pause. Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import fcntl
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
from cluster import end, narrate  # noqa: E402
from node_unit import ROOT, output, reason_in, write_file  # noqa: E402

UNITS = "/etc/systemd/system"
NAME = r"[A-Za-z0-9][A-Za-z0-9_@.-]{0,100}\.(service|timer|socket|path)"
# The machine's, and this program's: the stack file refuses more of them by name.
RESERVED = r"(changeover|systemd-|dbus[-.]|user[-@.]|getty).*|(ssh|sshd|cron|rsyslog|networking|nftables)(@.*)?\.[a-z]+"
RUNNING = ("active", "activating", "reloading", "refreshing")
STOP_S, START_S, STEADY_S = 120, 90, 1.5
FIELDS = "LoadState,ActiveState,Type,Result,Transient,RequiredBy,BoundBy,ConsistsOf,TriggeredBy"
HOST = socket.gethostname()


def shown(unit):
    said = output("systemctl", "show", unit, "-p", FIELDS)
    return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)


def runs(unit):
    return shown(unit).get("ActiveState") in RUNNING


class Writers:
    """The programs of one cluster on this host, and what is recorded of them."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.folder = f"{ROOT}/{cluster}/writers"
        self.flag = f"{self.folder}/paused"
        os.makedirs(self.folder, mode=0o755, exist_ok=True)
        # Two transitions may ask at once: held until this process ends.
        self.lock = os.open(f"{self.folder}/lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.lock, fcntl.LOCK_EX)

    def found(self):
        """Unit -> whether it ran, in order; None when nothing is paused."""
        try:
            with open(f"{self.folder}/found", encoding="utf8") as file:
                return {unit: was == "running" for unit, was in (line.strip().split("=", 1) for line in file if "=" in line)}
        except OSError:
            return None

    def others(self, by):
        return sorted(name[3:] for name in os.listdir(self.folder) if name.startswith("by-") and name != f"by-{by}" and "." not in name)

    def drop_in(self, unit):
        return f"{UNITS}/{unit}.d/changeover-paused-{self.cluster}.conf"

    def pause(self, by, reason, units):
        for unit in units:
            self.require_known(unit, units)
        found = dict(self.found() or {})
        found |= {unit: runs(unit) for unit in units if unit not in found}
        write_file(f"{self.folder}/found", "".join(f"{unit}={'running' if ran else 'stopped'}\n" for unit, ran in found.items()))
        self.ask(by, reason)
        self.block(found)
        keeper.require_claim()
        ran = [unit for unit in found if runs(unit)]
        for unit in ran:
            narrate(f"stopping {unit}")
            output("systemctl", "stop", "--no-block", unit)
        self.wait_stopped(list(found))
        was = [unit for unit, before in found.items() if before]
        prose = f"{HOST}: {', '.join(was) or 'nothing'} ran and is stopped" if was else f"{HOST}: none of {', '.join(found)} ran"
        print(f"{prose}; none starts until the pause ends\nran={','.join(was)}\nstopped={','.join(ran)}")

    def require_known(self, unit, units):
        """Ends with 77 before anything is changed: the unit is another one's, or its stop would take others with it."""
        about = shown(unit)
        if about.get("LoadState") != "loaded":
            end(77, f"{unit} is {about.get('LoadState') or 'unknown'} on {HOST} (needed: loaded); correct writers.{HOST}; nothing was stopped")
        if about.get("Transient") == "yes":
            end(77, f"{unit} on {HOST} is gone when it stops, so nothing could start it again; write a unit file for it; nothing was stopped")
        beside = [one for key in ("RequiredBy", "BoundBy", "ConsistsOf") for one in about.get(key, "").split() if one not in units and runs(one)]
        if beside:
            end(77, f"{', '.join(beside[:3])} on {HOST} would stop with {unit}; name it in writers.{HOST} too; nothing was stopped")
        callers = [one for one in about.get("TriggeredBy", "").split() if re.search(r"\.(socket|path)$", one) and one not in units and runs(one)]
        if callers:
            end(77, f"{', '.join(callers[:3])} on {HOST} starts {unit} again; name it in writers.{HOST} too; nothing was stopped")

    def ask(self, by, reason):
        path, since = f"{self.folder}/by-{by}", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            with open(path, encoding="utf8") as file:
                since = dict(line.strip().split("=", 1) for line in file if "=" in line).get("since", since)
        except OSError:
            pass
        write_file(path, f"since={since}\nreason={reason}\n")

    def block(self, found):
        """No start of these units succeeds from here on, also after a reboot."""
        write_file(self.flag, "")
        text = f"# Paused by Changeover, search cluster {self.cluster}: see {self.folder}\n[Unit]\nConditionPathExists=!{self.flag}\n"
        for unit in found:
            write_file(self.drop_in(unit), text)
        output("systemctl", "daemon-reload", seconds=60)

    def wait_stopped(self, units):
        deadline, told = time.monotonic() + STOP_S, time.monotonic() + 5
        while True:
            left = [unit for unit in units if shown(unit).get("ActiveState") not in ("inactive", "failed")]
            if not left:
                return
            now = time.monotonic()
            if now > deadline:
                end(75, f"{', '.join(left)} on {HOST} did not stop within {STOP_S} s; see systemctl status {left[0]}, then run npx pulumi up again")
            if now > told:
                narrate(f"waiting until {', '.join(left)} stops")
                told = now + 10
            time.sleep(0.1)

    def resume(self, by):
        self.forget(f"by-{by}")
        others, found = self.others(by), self.found()
        if found is None:
            print(f"{HOST}: nothing was paused\nstarted=")
            return
        if others:
            print(f"{HOST}: the writers stay stopped for {', '.join(others)}\nstarted=")
            return
        keeper.require_claim()
        self.forget("paused")
        wanted = [unit for unit, ran in found.items() if ran]
        failed = [said for said in (self.start(unit) for unit in wanted) if said]
        time.sleep(STEADY_S if wanted and not failed else 0)
        failed = failed or [f"{unit} has ended again: {why(unit)}" for unit in wanted if not self.serves(unit)]
        if failed:
            end(77, f"{'; '.join(failed)} ({HOST}); mend it, then run npx pulumi up again: it starts those that ran")
        for unit in found:
            self.unblock(unit)
        output("systemctl", "daemon-reload", seconds=60)
        self.forget("found")
        print(f"{HOST}: {', '.join(wanted) + ' runs again' if wanted else 'nothing ran before, nothing is started'}\nstarted={','.join(wanted)}")

    def start(self, unit):
        """Why it does not run, in words; None when it does."""
        narrate(f"starting {unit}")
        output("systemctl", "reset-failed", unit)
        job = ["--no-block"] if shown(unit).get("Type") == "oneshot" else []
        try:
            done = subprocess.run(["systemctl", "start", *job, unit], capture_output=True, text=True, timeout=START_S, check=False)
        except subprocess.TimeoutExpired:
            return f"{unit} has not started within {START_S} s"
        return None if done.returncode == 0 and self.serves(unit) else f"{unit} does not start: {why(unit)}"

    def serves(self, unit):
        about = shown(unit)
        state = about.get("ActiveState")
        return state in ("active", "reloading", "refreshing") or about.get("Type") == "oneshot" and (state == "activating" or about.get("Result") == "success")

    def unblock(self, unit):
        try:
            os.remove(self.drop_in(unit))
            os.rmdir(os.path.dirname(self.drop_in(unit)))
        except OSError:
            pass

    def forget(self, name):
        try:
            os.remove(f"{self.folder}/{name}")
        except FileNotFoundError:
            pass


def why(unit):
    return reason_in(output("journalctl", "-u", unit, "-o", "cat", "--no-pager", "-n", "50"))


def known(cluster):
    """What a probe says of a pause here: {since, reason, by, units, blocked}; None without one. Read-only."""
    folder = f"{ROOT}/{cluster}/writers"
    try:
        with open(f"{folder}/found", encoding="utf8") as file:
            units = [line.strip().split("=", 1) for line in file if "=" in line]
        by = {}
        for name in sorted(os.listdir(folder)):
            if name.startswith("by-") and "." not in name:
                with open(f"{folder}/{name}", encoding="utf8") as file:
                    by[name[3:]] = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except (OSError, ValueError):
        return None
    first = min(by.values(), key=lambda one: one.get("since", ""), default={})
    running = [unit for unit, _ in units if runs(unit)]
    return {"by": sorted(by), "since": first.get("since"), "reason": first.get("reason"), "ran": [unit for unit, was in units if was == "running"], "running": running}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    verb, by = words[1:2], words[2:3]
    if not (verb == ["pause"] and len(words) > 4 or verb == ["resume"] and len(words) == 3) or by not in (["pause"], ["rescue"]):
        end(64, f"writers.py takes CLUSTER pause BY REASON UNIT… or CLUSTER resume BY, got: {' '.join(words)}")
    keeper.end_with_parent()
    try:
        if verb == ["resume"]:
            Writers(words[0]).resume(by[0])
            return
        units = list(dict.fromkeys(words[4:]))
        wrong = [unit for unit in units if not re.fullmatch(NAME, unit) or re.fullmatch(RESERVED, unit)]
        if wrong:
            end(64, f'"{wrong[0]}" is no unit that may be stopped; allowed: a .service, .timer, .socket or .path of an application')
        if re.search(r"[\x00-\x1f\x7f]", words[3]):
            end(64, "REASON is one line")
        Writers(words[0]).pause(by[0], words[3], units)
    except OSError as error:
        end(75, f"{HOST}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])

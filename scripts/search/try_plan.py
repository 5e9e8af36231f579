#!/usr/bin/env python3
"""Start a plan of this host's node beside the one that runs, on loopback, and end it. The Python half of try-plan.sh.

Usage: try_plan.py CLUSTER MARK

Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import http.client
import os
import re
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
from cluster import DIALECTS, end, load, narrate  # noqa: E402
from node_unit import CONFIG, Unit, output, reason_in  # noqa: E402

HEAP = "128m"
LIMIT_S = 90
# Keys that name an address of this host, whatever else is in the plan's file.
PLACES = re.compile(r"^\s*((?:network|http|transport)\.(?:\w+_)?host)\s*:", re.MULTILINE)


def text_of(path):
    try:
        with open(path, encoding="utf8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def free_ports(count):
    """Ports of loopback that nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def answers(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/_cluster/health?filter_path=status")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class Trial:
    """One start of a plan on loopback, in a unit of its own, whose folders systemd takes away when it ends.

    kind: part of the unit's name. jvm: more options of Java. more: further variables and properties of the unit.
    """

    def __init__(self, facts, mark, kind="try", jvm="", more=()):
        self.facts, self.plan = facts, f"{CONFIG}/{facts['cluster']}/plans/{mark}"
        self.run = f"changeover-search-{facts['cluster']}-{kind}"
        self.unit = f"{self.run}.service"
        self.jvm, self.more = jvm, more
        self.since = time.time()

    def overrides(self, http_port, transport_port):
        """Settings for the time of the trial. The file is otherwise the plan's own."""
        engine = self.facts["engine"]
        places = dict.fromkeys(["network.host", *PLACES.findall(text_of(f"{self.plan}/{engine}.yml"))], "127.0.0.1")
        return places | {
            "cluster.name": self.run,
            "node.name": "try",
            "node.roles": f"{DIALECTS[engine, int(self.facts['version'].split('.', maxsplit=1)[0])]['manager']},data",
            "discovery.type": "single-node",
            "http.port": http_port,
            "transport.port": transport_port,
            "path.data": f"/run/{self.run}/data",
            "path.logs": f"/run/{self.run}/logs",
        }

    def begin(self):
        """Start it; the port that it answers on. Ends with 75 or 77 when systemd does not."""
        http_port, transport_port = free_ports(2)
        if not os.path.exists(f"{self.plan}/launch"):
            end(77, f"{self.plan} has no launch file; run npx pulumi up")
        words = ["systemd-run", "--quiet", "--collect", f"--unit={self.unit}", f"--uid={self.facts['owner']}"]
        own = f"/run/{self.run}/tmp"
        places = f"-Djava.io.tmpdir={own} -Djna.tmpdir={own}"
        options = f"-Xms{HEAP} -Xmx{HEAP} -XX:-AlwaysPreTouch -Xlog:disable -XX:-HeapDumpOnOutOfMemoryError {places} {self.jvm}"
        for line in (
            *(f"RuntimeDirectory={self.run}{below}" for below in ("", "/data", "/logs", "/tmp")),
            f"Environment=TMPDIR={own}",
            f'Environment="SEARCH_JVM={options.strip()}"',
            f"RuntimeMaxSec={LIMIT_S + 30}",
            "TimeoutStopSec=5",
            "Nice=5",
            "WorkingDirectory=/",
            *self.more,
        ):
            words += ["-p", line]
        words += [f"{self.plan}/launch", *(f"-E{key}={value}" for key, value in self.overrides(http_port, transport_port).items())]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            end(75, f"systemd does not start {self.unit}: {done.stderr.strip()[:200]}")
        return http_port

    def alive(self):
        return "ActiveState=active" in output("systemctl", "show", self.unit, "-p", "ActiveState")

    def why(self):
        return reason_in(output("journalctl", "-u", self.unit, "-o", "cat", "--no-pager", "-n", "400", "--since", f"@{int(self.since)}"))

    def finish(self):
        """End it, whatever it does."""
        output("systemctl", "kill", "-s", "KILL", self.unit)
        output("systemctl", "stop", self.unit, seconds=30)
        output("systemctl", "reset-failed", self.unit)


def attempt(facts, mark):
    unit = Unit(facts["cluster"])
    mark = unit.mark("next") if mark == "next" else mark
    if unit.recorded().get("mark") == mark and unit.runs():
        return f"{facts['node']} runs plan {mark} already, nothing is tried", {"verdict": "good", "mark": mark}
    trial = Trial(facts, mark)
    if not os.path.isdir(trial.plan):
        end(77, f"{facts['node']} has no plan {mark} ({trial.plan}); run npx pulumi up")
    trial.finish()
    start = time.monotonic()
    narrate(f"starting plan {mark} on loopback of {facts['node']}, beside the node that runs")
    try:
        port = trial.begin()
        while not answers(port):
            late = time.monotonic() - start > LIMIT_S
            if late or not trial.alive():
                fact = f"does not answer within {LIMIT_S} s" if late else "does not start"
                end(75 if late else 77, f"plan {mark} {fact} on {facts['node']}: {trial.why()}; nothing was stopped")
            time.sleep(0.2)
    finally:
        trial.finish()
    took = time.monotonic() - start
    return f"plan {mark} starts on {facts['node']}, tried for {took:.1f} s on loopback", {"verdict": "good", "mark": mark}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 2:
        end(64, f"try_plan.py takes CLUSTER MARK, got: {' '.join(words)}")
    keeper.end_with_parent()
    prose, pairs = attempt(load(words[0]), words[1])
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])

"""The unit of this host's node: its plans, its process, and what the engine said when it ended. Imported by bounce_node.py."""

import os
import re
import subprocess
import time

CONFIG = os.environ.get("CHANGEOVER_SEARCH", "/etc/changeover/search")
ROOT = os.environ.get("CHANGEOVER_ROOT", "/var/lib/changeover")
# Which line of a log says why an engine ended, best first.
WHY = (
    r"unknown setting \[[^\]]+\][^\n]*",
    r"\bbootstrap check failure[^\n]*|\[\d+\]: [^\n]*(?:too low|must be|is set)[^\n]*",
    r"cannot (?:downgrade|upgrade) a node[^\n]*",
    r"Unrecognized VM option[^\n]*|Invalid (?:initial|maximum) heap[^\n]*|Could not (?:create|reserve)[^\n]*",
    r"Likely root cause: [^\n]*",
    r"(?:java|org)\.[\w.]+(?:Exception|Error): [^\n]*",
    r"(?i)\b(?:ERROR|FATAL)\b[^\n]*",
)


def read_record(cluster, name):
    """A record of the cluster on this host, as a dictionary; empty without it."""
    try:
        with open(f"{ROOT}/{cluster}/{name}", encoding="utf8") as file:
            return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    except OSError:
        return {}


def write_file(path, text):
    """Write a file so that a reader sees the old text or the new one, also after a power cut. @raise OSError"""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(f"{path}.new", "w", encoding="utf8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)
    handle = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def write_record(cluster, name, pairs):
    """The records of a cluster stand under its own name, whichever transition of it writes them. @raise OSError"""
    write_file(f"{ROOT}/{cluster}/{name}", "".join(f"{key}={value}\n" for key, value in pairs.items()))


class Failed(Exception):
    """The process did not come up; `soft`: it ran out of time."""

    def __init__(self, why, soft=False):
        super().__init__(why)
        self.soft = soft


def reason_in(log):
    """The line of an engine's log that says why it ended, without its time and thread."""
    for pattern in WHY:
        found = re.search(pattern, log)
        if found:
            return re.sub(r"\s+", " ", found[0]).strip()[:300]
    last = [line.strip() for line in log.splitlines() if line.strip()]
    return last[-1][:300] if last else "its log says nothing"


def output(*words, seconds=20):
    try:
        return subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=seconds, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


class Unit:
    """The unit of one cluster's node on this host."""

    def __init__(self, cluster):
        self.cluster = cluster
        self.name = f"changeover-search-{cluster}.service"
        self.folder = f"{CONFIG}/{cluster}"
        self.since = time.time()
        self.started = False

    def state(self):
        """ActiveState, NRestarts, ExecMainStatus, MainPID of systemd."""
        said = output("systemctl", "show", self.name, "-p", "ActiveState,SubState,NRestarts,ExecMainStatus,MainPID")
        return dict(line.split("=", 1) for line in said.splitlines() if "=" in line)

    def runs(self):
        return self.state().get("ActiveState") == "active"

    def stop(self, seconds):
        """Stop the process; one that does not end in time is killed. @raise Failed"""
        try:
            subprocess.run(["systemctl", "stop", self.name], timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            output("systemctl", "kill", "-s", "KILL", self.name)
        deadline = time.monotonic() + 20
        while self.state().get("ActiveState") not in ("inactive", "failed"):
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} did not stop within {seconds} s, nor when it was killed", soft=True)
            time.sleep(0.1)

    def start(self):
        """Ask systemd to start it, and do not wait for that. @raise Failed"""
        self.since, self.started = time.time(), True
        output("systemctl", "reset-failed", self.name)
        done = subprocess.run(["systemctl", "start", "--no-block", self.name], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"systemd does not start {self.name}: {done.stderr.strip()[:200]}")

    def require_alive(self):
        """@raise Failed with the engine's own line, when the process that was started has ended."""
        state = self.state()
        # Restarts of long ago count only for who has not just started it.
        again = self.started and int(state.get("NRestarts") or 0) > 0
        if state.get("ActiveState") in ("failed", "inactive") or again:
            raise Failed(f"it ended with {state.get('ExecMainStatus', '?')}: {self.why()}")

    def why(self):
        return reason_in(output("journalctl", "-u", self.name, "-o", "cat", "--no-pager", "-n", "400", "--since", f"@{int(self.since)}"))

    def link(self, name):
        """What `current` or `next` points at; None without it."""
        try:
            return os.readlink(f"{self.folder}/{name}")
        except OSError:
            return None

    def mark(self, name):
        target = self.link(name)
        return None if target is None else os.path.basename(target)

    def switch(self, target):
        """Point `current` at a plan, so that a reader sees the old one or the new one."""
        draft = f"{self.folder}/.current.new"
        if os.path.lexists(draft):
            os.unlink(draft)
        os.symlink(target, draft)
        os.replace(draft, f"{self.folder}/current")
        handle = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        os.fsync(handle)
        os.close(handle)

    def recorded(self):
        """mark and bounced of the process that was started last."""
        return read_record(self.cluster, "running")

    def write_record(self, mark, bounced):
        write_record(self.cluster, "running", {"mark": mark, "bounced": bounced})

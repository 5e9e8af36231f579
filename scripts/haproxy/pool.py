"""What a balancer has recorded of a pool, and haproxy.cfg made from it."""

import contextlib
import fcntl
import os
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

import runtime  # noqa: E402
from records import ROOT, pairs_of  # noqa: E402
from saying import log, refused, timed_out  # noqa: E402

CONFIG = "/etc/haproxy/haproxy.cfg"
STATE = "/var/lib/haproxy/server-state"
NO_STATE = "1\n"
RELOAD_S = 20


def write(path, text, mode=0o644):
    """A reader sees the old text or the new one, also after a power cut."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf8", dir=os.path.dirname(path), delete=False) as file:
        file.write(text)
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())
    os.replace(file.name, path)


def read(path):
    try:
        with open(path, encoding="utf8") as file:
            return file.read()
    except OSError:
        return ""


def name_ok(name):
    return re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) is not None


class Pool:
    """The records of one pool on this balancer."""

    def __init__(self, name):
        self.name = name
        self.folder = f"{ROOT}/{name}"

    def template(self):
        return read(f"{self.folder}/template")

    def servers(self, template=None):
        """Servers of the template: `address:port` by name."""
        text = self.template() if template is None else template
        return dict(re.findall(r"^\s+server (\S+) (\S+)", text, re.M))

    def binds(self, template=None):
        return re.findall(r"^\s+bind (\S+)", self.template() if template is None else template, re.M)

    def host(self):
        """The name of the site, as the check sends it."""
        found = re.search(r"^\s+http-check send .*\bhdr Host (\S+)", self.template(), re.M)
        return found[1] if found else "localhost"

    def ready(self):
        """Path and status of the application's own readiness."""
        text = self.template()
        path = re.search(r"^\s+http-check send .*\buri (\S+)", text, re.M)
        status = re.search(r"^\s+http-check expect status (\d+)", text, re.M)
        return (path[1] if path else "/", int(status[1]) if status else 200)

    def page(self, template=None):
        text = self.template() if template is None else template
        found = re.search(r"^\s+http-request return .*\bfile (\S+)", text, re.M)
        return found[1] if found else None

    def record(self, server):
        return pairs_of(f"{self.folder}/servers/{server}") or {}

    def note(self, server, **values):
        """Change what is recorded of a server; None takes a line out."""
        lines = {**self.record(server), **values}
        write(f"{self.folder}/servers/{server}", "".join(f"{key}={value}\n" for key, value in lines.items() if value))

    def forget(self, server):
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{self.folder}/servers/{server}")

    def maintenance(self):
        return read(f"{self.folder}/maintenance").strip() == "on"

    def composed(self, template=None):
        """The text of haproxy.cfg: a server is in traffic only when its record says so."""
        text = self.template() if template is None else template

        def line(match):
            admin = self.record(match[1]).get("admin")
            return match[0] if admin == "ready" else f"{match[0]} disabled"

        text = re.sub(r"^\s+server (\S+) .*$", line, text, flags=re.M)
        if self.maintenance():
            text = re.sub(rf"^(\s+default_backend) {self.name}$", rf"\1 {self.name}_maintenance", text, flags=re.M)
        return text

    def compose(self):
        """Make the file what the records say. An old dump of states goes: it would come before the file at a start."""
        text, found, made = self.composed(), read(CONFIG), f"{self.folder}/composed"
        if read(STATE) != NO_STATE:
            write(STATE, NO_STATE)
        if found == text:
            return False
        if found and found != read(made):
            kept = f"{CONFIG}.by-hand" if os.path.exists(made) else f"{CONFIG}.before-changeover"
            log(f"{CONFIG} was changed by others, kept as {kept}")
            write(kept, found)
        write(made, text)
        write(CONFIG, text)
        return True

    @contextlib.contextmanager
    def locked(self):
        """Held for a change of socket, file and records; never during a wait for others."""
        os.makedirs(self.folder, exist_ok=True)
        with open(f"{self.folder}/haproxy.lock", "a", encoding="utf8") as lock:
            until = time.monotonic() + 30
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > until:
                        raise timed_out(f"{self.folder}/haproxy.lock is held for 30 s") from None
                    time.sleep(0.02)
            yield

    def require(self, servers):
        """Refuse unless each name is a server of the template and of HAProxy, which answers as it is to."""
        known = self.servers()
        if not known:
            raise refused(f"this machine has no configuration of pool {self.name}; run up, which configures it")
        unknown = [server for server in servers if server not in known]
        if unknown:
            raise refused(f"no server {', '.join(unknown)} in pool {self.name} (it has {', '.join(known)})")
        if not running():
            raise refused(f"HAProxy does not run here; start it: edge: haproxy in the config of pool {self.name}")
        why = runtime.trouble()
        if why:
            raise refused(f"{why}; nothing was changed")
        told = runtime.servers_state(self.name)
        missing = [server for server in servers if server not in told]
        if missing:
            raise refused(f"HAProxy knows no server {', '.join(missing)} in backend {self.name}, {CONFIG} has it: reload it")
        return told

    def differs(self):
        """What differs between records, file and HAProxy; None when they agree. A server that somebody is in the middle
        of moving (`by`) is none: whoever comes next goes on from there."""
        if not self.template():
            return None
        if read(CONFIG) not in (self.composed(), read(f"{self.folder}/composed")):
            return f"{CONFIG} is not what the records say"
        if not running():
            return None
        told = {name: runtime.admin_of(row) for name, row in runtime.servers_state(self.name).items()}
        records = {name: self.record(name) for name in self.servers()}
        for name in sorted({*told, *records}):
            wanted = (records[name].get("admin") or "maint") if name in records else "not at all"
            found = told.get(name, "not at all")
            if found != wanted and not (name in told and records.get(name, {}).get("by")):
                return f"{name}: HAProxy has it {found}, {CONFIG} {wanted}"
        return None


def running():
    return subprocess.run(["systemctl", "is-active", "--quiet", "haproxy"], check=False).returncode == 0


def check(path):
    """Refuse a file that HAProxy does not take, with its words."""
    ran = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True, timeout=30, check=False)
    if ran.returncode != 0:
        why = [line.split(" : ", 1)[-1] for line in ran.stderr.splitlines() if "[ALERT]" in line]
        raise refused(f"HAProxy does not take the configuration: {'; '.join(why) or ran.stderr.strip()}")


def reload_haproxy():
    """Have a new worker take over with the states of now; the old one ends its requests. Ends when the new one answers."""
    before = runtime.workers()
    write(STATE, runtime.ask(runtime.ADMIN, "show servers state"), 0o644)
    try:
        subprocess.run(["systemctl", "reload", "haproxy"], check=True, timeout=RELOAD_S, capture_output=True)
        wait_for_worker(before)
    except subprocess.SubprocessError as error:
        raise refused(f"systemctl reload haproxy failed: {error}") from error
    finally:
        write(STATE, NO_STATE)


def wait_for_worker(before):
    until = time.monotonic() + RELOAD_S
    while time.monotonic() < until:
        with contextlib.suppress(runtime.Unusable):
            now = runtime.workers()
            if now["failed"] > before["failed"]:
                raise refused(f"HAProxy could not reload: {last_words()}")
            if now["new"] and not set(now["new"]) & set(before["new"]) and int(runtime.info()["Pid"]) in now["new"]:
                return
        time.sleep(0.02)
    raise timed_out(f"no new worker of HAProxy answers {RELOAD_S} s after the reload: {last_words()}")


def last_words():
    """The last complaints of the service."""
    ran = subprocess.run(
        ["journalctl", "-u", "haproxy", "-n", "30", "-o", "cat", "--no-pager"], capture_output=True, text=True, timeout=10, check=False
    )
    said = [line.split(" : ", 1)[-1] for line in ran.stdout.splitlines() if "[ALERT]" in line]
    return "; ".join(dict.fromkeys(said[-2:])) or "see journalctl -u haproxy"


def wait_for_old_workers(seconds):
    """Whether the requests from before the last reload have ended."""
    until = time.monotonic() + seconds
    said = False
    while runtime.workers()["old"]:
        if time.monotonic() > until:
            return False
        if not said:
            log("waiting until the requests from before the reload have ended")
            said = True
        time.sleep(0.05)
    return True

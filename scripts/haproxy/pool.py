"""The records of a pool on its balancer, and haproxy.cfg, which is made from them."""

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
from exit_codes import log, refused, timed_out  # noqa: E402

CONFIG = "/etc/haproxy/haproxy.cfg"
STATE = "/var/lib/haproxy/server-state"
NO_STATE = "1\n"
RELOAD_S = 20


def write(path, text, mode=0o644):
    """Write a file at once: a reader sees the old text or the new one, also after a power cut or on a full disk."""
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf8", dir=folder, delete=False) as file:
        try:
            file.write(text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(handle)
    os.close(handle)


def read(path):
    try:
        with open(path, encoding="utf8") as file:
            return file.read()
    except OSError:
        return ""


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
        """The site's name, as the readiness check sends it."""
        found = re.search(r"^\s+http-check send .*\bhdr Host (\S+)", self.template(), re.M)
        return found[1] if found else "localhost"

    def page(self, template=None):
        text = self.template() if template is None else template
        found = re.search(r"^\s+http-request return .*\bfile (\S+)", text, re.M)
        return found[1] if found else None

    def record(self, server):
        return pairs_of(f"{self.folder}/servers/{server}") or {}

    def note(self, server, **values):
        """Change the record of a server; None removes a line."""
        lines = {**self.record(server), **values}
        write(f"{self.folder}/servers/{server}", "".join(f"{key}={value}\n" for key, value in lines.items() if value))

    def keep_ports(self, template):
        """A server in traffic listens on its old port until it is released anew: HAProxy reaches it there until it enters again."""
        now = self.servers(self.composed())
        # A HAProxy that is not this pool's yet, or whose socket the new file repairs, says nothing of it.
        with contextlib.suppress(runtime.Unusable):
            if running():
                now.update({name: runtime.place_of(row) for name, row in runtime.servers_state(self.name).items()})
        for name, place in self.servers(template).items():
            old = now.get(name, place)
            same_host = old.rpartition(":")[0] == place.rpartition(":")[0]
            moves = old != place and same_host and self.record(name).get("admin") == "ready"
            if self.record(name).get("at") != (old if moves else None):
                self.note(name, at=old if moves else None)

    def forget(self, server):
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{self.folder}/servers/{server}")

    def maintenance(self):
        return read(f"{self.folder}/maintenance").strip() == "on"

    def composed(self, template=None):
        """The text of haproxy.cfg: a server is in traffic only when its record says so."""
        text = self.template() if template is None else template

        def line(match):
            record = self.record(match[2])
            server = f"{match[1]}{record.get('at') or match[3]}{match[4]}"
            return server if record.get("admin") == "ready" else f"{server} disabled"

        text = re.sub(r"^(\s+server (\S+) )(\S+)(.*)$", line, text, flags=re.M)
        if self.maintenance():
            text = re.sub(rf"^(\s+default_backend) {self.name}$", rf"\1 {self.name}_maintenance", text, flags=re.M)
        return text

    def compose(self):
        """Write haproxy.cfg from the records. An old dump of states is emptied, since it would override the file at a start."""
        text, old, composed = self.composed(), read(CONFIG), f"{self.folder}/composed"
        if read(STATE) != NO_STATE:
            write(STATE, NO_STATE)
        if old == text:
            return False
        if old and old != read(composed):
            kept = f"{CONFIG}.by-hand" if os.path.exists(composed) else f"{CONFIG}.before-changeover"
            log(f"{CONFIG} was changed by hand; keeping it as {kept}")
            write(kept, old)
        write(composed, text)
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
                        raise timed_out(f"another call holds {self.folder}/haproxy.lock (waited 30 s)") from None
                    time.sleep(0.02)
            yield

    def require(self, servers):
        """Refuse unless the template and a usable HAProxy know each server. Returns HAProxy's states by server."""
        known = self.servers()
        if not known:
            raise refused(f"this balancer has no configuration of pool {self.name}; configure it: npx pulumi up")
        unknown = [server for server in servers if server not in known]
        if unknown:
            raise refused(f"pool {self.name} has no server {', '.join(unknown)} (known: {', '.join(known)}); add it to the pool; nothing was changed")
        if not running():
            raise refused(f"HAProxy is not running on this balancer; start it with edge: haproxy in pool {self.name}")
        why = runtime.trouble()
        if why:
            raise refused(f"{why}; nothing was changed")
        states = runtime.servers_state(self.name)
        missing = [server for server in servers if server not in states]
        if missing:
            raise refused(f"HAProxy knows no server {', '.join(missing)} in backend {self.name}, but {CONFIG} has it: systemctl reload haproxy")
        return states

    def misplaced(self):
        """A server that HAProxy reaches elsewhere than its file says; None: there is none. A reboot would end it: the file counts then."""
        places = self.servers(read(CONFIG))
        for name, row in sorted(runtime.servers_state(self.name).items()):
            found = runtime.place_of(row)
            if found != places.get(name, found) and not self.record(name).get("by"):
                return f"{name} is reached at {found} by HAProxy, at {places[name]} in {CONFIG}"
        return None

    def differs(self):
        """The difference between records, file and HAProxy; None: they agree. A server that a transition is moving (`by`) does
        not count, since the next step goes on from there."""
        if not self.template():
            return None
        if read(CONFIG) not in (self.composed(), read(f"{self.folder}/composed")):
            return f"{CONFIG} is not what the records say"
        if not running():
            return None
        admins = {name: runtime.admin_of(row) for name, row in runtime.servers_state(self.name).items()}
        records = {name: self.record(name) for name in self.servers()}
        for name in sorted({*admins, *records}):
            expected = (records[name].get("admin") or "maint") if name in records else "unknown"
            found = admins.get(name, "unknown")
            if found != expected and not (name in admins and records.get(name, {}).get("by")):
                return f"{name} is {found} in HAProxy, {expected} in {CONFIG}"
        return None


def running():
    return subprocess.run(["systemctl", "is-active", "--quiet", "haproxy"], check=False).returncode == 0


def check(path):
    """Refuse a file that HAProxy rejects, with HAProxy's reason."""
    ran = subprocess.run(["haproxy", "-c", "-f", path], capture_output=True, text=True, timeout=30, check=False)
    if ran.returncode != 0:
        why = [line.split(" : ", 1)[-1] for line in ran.stderr.splitlines() if "[ALERT]" in line]
        raise refused(f"HAProxy rejects the configuration: {'; '.join(why) or ran.stderr.strip()}")


def reload_haproxy():
    """Start a new worker with the present states, and wait until it answers. The old worker finishes its requests."""
    before = runtime.workers()
    # Of the present states a port counts more than the file's; so each server's is the file's own, as after a reboot.
    ports = {name: place.rpartition(":")[2] for name, place in re.findall(r"^\s+server (\S+) (\S+)", read(CONFIG), re.M)}
    write(STATE, runtime.with_ports(runtime.ask(runtime.ADMIN, "show servers state"), ports), 0o644)
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
                raise refused(f"HAProxy can't reload: {last_alerts()}")
            if now["new"] and not set(now["new"]) & set(before["new"]) and int(runtime.info()["Pid"]) in now["new"]:
                return
        time.sleep(0.02)
    raise timed_out(f"no new HAProxy worker answers after {RELOAD_S} s: {last_alerts()}")


def last_alerts():
    """The last alerts of the service."""
    ran = subprocess.run(
        ["journalctl", "-u", "haproxy", "-n", "30", "-o", "cat", "--no-pager"], capture_output=True, text=True, timeout=10, check=False
    )
    alerts = [line.split(" : ", 1)[-1] for line in ran.stdout.splitlines() if "[ALERT]" in line]
    return "; ".join(dict.fromkeys(alerts[-2:])) or "see journalctl -u haproxy"


def wait_for_old_workers(seconds):
    """Whether the requests from before the last reload end within SECONDS."""
    until = time.monotonic() + seconds
    logged = False
    while runtime.workers()["old"]:
        if time.monotonic() > until:
            return False
        if not logged:
            log(f"waiting until requests from before the reload end (limit: {seconds} s)")
            logged = True
        time.sleep(0.05)
    return True

"""The gluster command: its answers as plain values. Also how the Python scripts of this folder end."""

import os
import socket
import subprocess
import sys
import time
import uuid
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
# The last one: a server that just joined is a member by the word of the server that is asked, and not yet by that of another one.
BUSY = (
    "Another transaction",
    "Locking failed",
    "Commit failed",
    "Please try after sometime",
    "in progress",
    "not connected",
    "not in 'Peer in Cluster' state",
)

LISTED_FILES = 20
GLUSTERD = os.environ.get("CHANGEOVER_GLUSTERD", "/var/lib/glusterd")
MEMBER = "3"
# What brings a server back whose peers do not take it, by the state that glusterd says (docs/runbook.md, "peer").
CURES = {
    "6": "on it stop glusterd, move all of /var/lib/glusterd but glusterd.info away, start glusterd, "
    "probe another server from it, restart glusterd, and run again",
    "4": "restart glusterd on both, one after the other, and run again",
}
OTHER_CURE = "restart glusterd on it, and run again"


class Refused(Exception):
    """A person must decide (77)."""


class TimedOut(Exception):
    """The step is to be run again (75)."""


def log(text):
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def ending(main):
    """Run MAIN and end as host scripts do: 77 refused, 75 run again."""
    try:
        main()
    except Refused as why:
        log(f"refused: {why}")
        sys.exit(77)
    except (TimedOut, subprocess.TimeoutExpired) as why:
        log(f"timed out: {why}")
        sys.exit(75)


def require_claim():
    """Refuse unless this transition still holds the claim. A script that is run by hand has no claim, and passes."""
    if "CHANGEOVER_ID" in os.environ:
        checked = subprocess.run(["bash", "-c", f'. "{HERE}/../lib.sh"; require_claim'], check=False)
        if checked.returncode:
            sys.exit(checked.returncode)


def wait_until(what, seconds, ask_once):
    """Call ASK until its answer is true, and return that answer."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask_once()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise TimedOut(f"{what}: not reached within {seconds:.0f} s")
        time.sleep(0.3)


def ask(*words, seconds=120):
    """The answer of `gluster … --xml`; None when gluster refuses."""
    command = ["gluster", "--mode=script", *words, "--xml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    try:
        root = xml.fromstring(done.stdout)
    except xml.ParseError:
        return None
    return root if root.findtext("opRet", "0") == "0" else None


def ask_soon(*words, seconds=20):
    """As `ask`, for a question that is repeated anyway: no answer in time is logged, and is None too."""
    try:
        return ask(*words, seconds=seconds)
    except subprocess.TimeoutExpired:
        log(f"gluster {' '.join(words)} gave no answer within {seconds} s")
        return None


def ask_until(what, seconds, *words):
    """As `ask_soon`, again and again until gluster answers: while it is busy with another command it refuses. @raise TimedOut"""

    def answer():
        said = ask_soon(*words)
        return None if said is None else [said]

    return wait_until(what, seconds, answer)[0]


def outcome(done):
    """(what gluster said, whether it did it): it may end with 0 and say in words that it failed."""
    try:
        root = xml.fromstring(done.stdout)
    except xml.ParseError:
        said = " ".join((done.stdout + done.stderr).split())
        return said, done.returncode == 0 and "failed" not in said
    words = [root.findtext(name) or "" for name in ("opErrstr", "output")]
    return " ".join(" ".join(words).split()), done.returncode == 0 and root.findtext("opRet", "0") == "0"


def tell(*words, seconds=120):
    """Run a gluster command, and require that gluster says it is done. While gluster is busy with another command, try again."""
    deadline = time.monotonic() + seconds
    while True:
        done = subprocess.run(
            ["gluster", "--mode=script", *words, "--xml"], capture_output=True, text=True, timeout=seconds, check=False
        )
        said, good = outcome(done)
        if good:
            return said
        if time.monotonic() > deadline or not any(text in said for text in BUSY):
            raise TimedOut(f"gluster {' '.join(words)}: {said}")
        time.sleep(1)


def volumes(seconds=20):
    """
    Every volume of the trusted pool by name: its state, its options, and its bricks as (role, host:path).

    @raise TimedOut without an answer: a volume that is not listed for that reason would count as gone
    """

    root = ask_until("gluster lists its volumes", seconds, "volume", "info")
    return {volume.findtext("name"): volume_of(volume) for volume in root.iter("volume")}


def volumes_soon():
    """As `volumes`, for a question that is repeated anyway: without an answer None, and a line in the log."""
    try:
        return volumes()
    except TimedOut as why:
        log(f"waiting: {why}")
        return None


def volume_of(volume):
    return {
        "id": volume.findtext("id"),
        "started": volume.findtext("statusStr") == "Started",
        "options": {option.findtext("name"): option.findtext("value") for option in volume.iter("option")},
        "bricks": [
            ("arbiter" if brick.findtext("isArbiter") == "1" else "data", brick.findtext("name"))
            for brick in volume.iter("brick")
        ],
        # The same path is a brick of another host too, so a brick is known by its host's identity.
        "hosts": {brick.findtext("name"): brick.findtext("hostUuid") for brick in volume.iter("brick")},
    }


def own_uuid():
    """The identity of this host in the trusted pool; None: glusterd has never run here."""
    try:
        with open(f"{GLUSTERD}/glusterd.info", encoding="utf8") as file:
            return next((line.strip()[5:] for line in file if line.startswith("UUID=")), None)
    except OSError:
        return None


def volume_at(path):
    """(name, id) of the volume that has its brick on this host at a path; None: no volume has."""
    own = own_uuid()
    for name, volume in volumes().items():
        for brick, host in volume["hosts"].items():
            if host == own and brick.split(":", 1)[1] == path:
                return name, volume["id"]
    return None


def mark_of(path):
    """The id of the volume that a folder is or was a brick of, as GlusterFS writes it; None: of none."""
    try:
        return str(uuid.UUID(bytes=os.getxattr(path, "trusted.glusterfs.volume-id")))
    except (OSError, ValueError):
        return None


def online(name, seconds=5):
    """Online bricks of a volume, as host:path; none when gluster gives no answer in time."""
    try:
        root = ask_until(f"gluster tells the state of {name}", seconds, "volume", "status", name)
    except TimedOut:
        return set()
    nodes = [(node.findtext("hostname"), node.findtext("path"), node.findtext("status")) for node in root.iter("node")]
    return {f"{host}:{path}" for host, path, status in nodes if path and path.startswith("/") and status == "1"}


def backlog(name, seconds=20):
    """(entries to heal, entries in split brain); None when a brick did not answer in time."""
    root = ask_soon("volume", "heal", name, "info", "summary", seconds=seconds)
    if root is None:
        return None
    total, split = 0, 0
    for brick in root.iter("brick"):
        counts = brick.findtext("totalNumberOfEntries", "-"), brick.findtext("numberOfEntriesInSplitBrain", "-")
        if brick.findtext("status") != "Connected" or "-" in counts:
            return None
        total, split = total + int(counts[0]), split + int(counts[1])
    return total, split


def in_split_brain(name):
    """Files in split brain, by path or gfid."""
    root = ask("volume", "heal", name, "info", "split-brain")
    return sorted({file.text for file in root.iter("file") if file.text}) if root is not None else []


def refuse_split_brain(name, counts):
    """COUNTS are those of `backlog`."""
    if counts and counts[1]:
        files = ", ".join(in_split_brain(name)[:LISTED_FILES])
        raise Refused(f"{name} has {counts[1]} file(s) in split brain (allowed: 0); decide about each: {files}")


def peers(server=None):
    """The other servers of the trusted pool, as this server knows them or another one: a list of {uuid, names, state, said, connected}."""
    root = ask_soon(f"--remote-host={server}", "peer", "status") if server else ask("peer", "status")
    if root is None:
        return []
    return [
        {
            "uuid": peer.findtext("uuid"),
            "names": sorted({name.text for name in peer.iter("hostname") if name.text}),
            "state": peer.findtext("state"),
            "said": peer.findtext("stateStr") or f"state {peer.findtext('state')}",
            "connected": peer.findtext("connected") == "1",
        }
        for peer in root.iter("peer")
    ]


def trusted_names():
    """Every name by which a server of the trusted pool knows another one."""
    known = peers()
    further = [other for peer in known for name in peer["names"][:1] for other in peers(name)]
    return {name for peer in [*known, *further] for name in peer["names"]}


def even_out(name, allowed):
    """
    Give a volume one text of `auth.allow` on all servers: `allowed`, and the names of servers. glusterd adds names of servers by
    itself, each server those by which it knows the others; a server that joins then finds two texts, and is rejected.
    """
    tell("volume", "set", name, "auth.allow", ",".join(sorted({*allowed.split(","), *trusted_names()})))


def peer_at(address, known):
    """Which of the known peers has an address, also where the pool knows it by a name."""
    for peer in known:
        if address in peer["names"] or address in {found for name in peer["names"] for found in addresses_of(name)}:
            return peer
    return None


def addresses_of(name):
    try:
        return {info[4][0] for info in socket.getaddrinfo(name, None)}
    except OSError:
        return set()


def is_member(peer):
    return peer["state"] == MEMBER and peer["connected"]


def why_no_member(address, peer):
    """What is wrong with a peer, and the cure."""
    if peer["state"] == MEMBER:
        return f"{address} is in the trusted pool, but its glusterd does not answer; start it: systemctl start glusterd"
    return f"{address} is no member of the trusted pool: {peer['said']}; {CURES.get(peer['state'], OTHER_CURE)}"


def clients(name):
    """
    Addresses from which a volume is used now; empty also when gluster gives no answer. Without the other servers of the trusted
    pool: each of them heals every volume of the pool, also those that it has no brick of.
    """
    root = ask_soon("volume", "status", name, "clients", seconds=4)
    if root is None:
        return set()
    servers = set().union(*(addresses_of(known) for peer in peers() for known in peer["names"]))
    return {host.text.rsplit(":", 1)[0] for host in root.iter("hostname") if host.text and ":" in host.text} - servers

"""The gluster command: its answers as plain values. Also how the Python scripts of this folder end."""

import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

HERE = os.path.dirname(os.path.abspath(__file__))
BUSY = ("Another transaction", "Locking failed", "Commit failed", "Please try after sometime", "in progress")

LISTED_FILES = 20


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


def tell(*words, seconds=120):
    """Run a gluster command. While gluster is busy with another command, try again."""
    deadline = time.monotonic() + seconds
    while True:
        done = subprocess.run(
            ["gluster", "--mode=script", *words], capture_output=True, text=True, timeout=seconds, check=False
        )
        said = " ".join((done.stdout + done.stderr).split())
        if done.returncode == 0:
            return said
        if time.monotonic() > deadline or not any(text in said for text in BUSY):
            raise TimedOut(f"gluster {' '.join(words)}: {said}")
        time.sleep(1)


def volumes():
    """Every volume of the trusted pool by name: its state, its options, and its bricks as (role, host:path)."""
    root = ask("volume", "info")
    if root is None:
        return {}
    return {volume.findtext("name"): volume_of(volume) for volume in root.iter("volume")}


def volume_of(volume):
    return {
        "id": volume.findtext("id"),
        "started": volume.findtext("statusStr") == "Started",
        "options": {option.findtext("name"): option.findtext("value") for option in volume.iter("option")},
        "bricks": [
            ("arbiter" if brick.findtext("isArbiter") == "1" else "data", brick.findtext("name"))
            for brick in volume.iter("brick")
        ],
    }


def online(name):
    """Online bricks of a volume, as host:path."""
    root = ask_soon("volume", "status", name)
    if root is None:
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


def peers():
    """The other servers of the trusted pool by address: whether each has joined and answers."""
    root = ask("peer", "status")
    if root is None:
        return {}
    return {
        peer.findtext("hostname"): peer.findtext("connected") == "1" and peer.findtext("state") == "3"
        for peer in root.iter("peer")
    }

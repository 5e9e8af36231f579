"""Shared by the Python scripts of staged upgrades: a host's settings, time-limited commands, exit codes."""

import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(1, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from records import ROOT, pairs_of  # noqa: E402

SETTINGS = os.environ.get("CHANGEOVER_UPGRADES", "/etc/changeover/upgrades")
# Some builds of rpm find their database through HOME, which a systemd unit does not have.
os.environ.setdefault("HOME", "/root")


class Ends(Exception):
    """An exit code, with a message for the operator."""


class Refused(Ends):
    code, word = 77, "refused"


class TimedOut(Ends):
    code, word = 75, "timed out"


def log(text):
    try:
        print(time.strftime("%T"), text, file=sys.stderr, flush=True)
    except OSError:
        pass


def settings_of(name):
    """The settings that configure-host.sh wrote on this host, or None."""
    found = pairs_of(f"{SETTINGS}/{name}")
    return found and {"kind": "auto", **found, "name": name}


def load(name):
    settings = settings_of(name)
    if not settings:
        raise Refused(f"{os.uname().nodename} has no {SETTINGS}/{name}; upgrade/configure-host.sh has not run there")
    return settings


def facts(settings):
    """The folder of the records about an upgrade's package, shared by its components."""
    return f"{ROOT}/{settings['name']}"


def run(words, seconds):
    """
    (exit code, stdout, stderr) of a command; the code is None if it took longer and was killed. Its output goes to files, so
    that its background processes can't block the caller.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True)
        except OSError as error:
            return 127, "", f"{words[0]}: {error.strerror}"
        try:
            code = child.wait(seconds)
        except subprocess.TimeoutExpired:
            code = None
            os.killpg(child.pid, signal.SIGKILL)
        texts = []
        for stream in (out, err):
            stream.seek(0)
            texts.append(stream.read().decode(errors="replace").strip())
    return code, *texts


def run_line(line, seconds):
    """(exit code, all output) of a command line of the settings."""
    code, out, err = run(["bash", "-c", line], seconds)
    return code, "\n".join(text for text in (out, err) if text)


def last_line(text):
    return text.splitlines()[-1].strip() if text else "nothing"


def start(main, doc, least, most):
    """Run a script's `main` with its arguments, and end with an instruction to the caller."""
    words = sys.argv[1:]
    if not least <= len(words) <= most or words[0].startswith("-"):
        print(doc.strip())
        sys.exit(0 if words == ["--help"] else 64)
    # SIGTERM becomes an exit, so that `finally` and `with` still clean up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(75))
    try:
        main(*words)
    except Ends as end:
        log(f"{end.word}: {end}")
        sys.exit(end.code)
    except OSError as error:
        log(f"refused: {error}; fix the cause and run again")
        sys.exit(77)

#!/usr/bin/env python3
"""Run a command as root that sees nothing of this host but two folders: a link in them that leads elsewhere leads nowhere.

Usage: enclosed.py OWNER SOURCE COPY COMMAND [WORD…]

The command finds SOURCE as /source, read-only, COPY as /copy, the programs of the host, and the scripts as /scripts. The
folder that SOURCE or COPY is in may belong to OWNER; what is above it belongs to root. Ends as the command does.
"""

import ctypes
import os
import pwd
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

from handles import Untrusted  # noqa: E402
from places import open_in  # noqa: E402

NEW_MOUNTS = 0x20000
READ_ONLY, NO_SUID, NO_DEVICES, REMOUNT, BIND, RECURSIVE, PRIVATE = 1, 2, 4, 32, 4096, 16384, 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def call(name, *words):
    words = [os.fsencode(word) if isinstance(word, str) else word for word in words]
    if getattr(libc, name)(*words):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)


def bind(handle, place, flags):
    os.mkdir(place)
    call("mount", f"/proc/self/fd/{handle}", place, None, BIND, None)
    call("mount", None, place, None, BIND | REMOUNT | NO_SUID | NO_DEVICES | flags, None)


def enclose(root, source, copy, uid):
    call("unshare", NEW_MOUNTS)
    call("mount", None, "/", None, RECURSIVE | PRIVATE, None)
    # Opened in here: a handle of the other mounts can't be bound.
    folders = {"source": open_in(source, uid), "copy": open_in(copy, uid)}
    call("mount", "changeover", root, "tmpfs", 0, "mode=0755,size=1m")
    bind(folders["source"], f"{root}/source", READ_ONLY)
    bind(folders["copy"], f"{root}/copy", 0)
    for name, path in (("usr", "/usr"), ("scripts", os.path.dirname(HERE))):
        bind(os.open(path, os.O_RDONLY | os.O_DIRECTORY), f"{root}/{name}", READ_ONLY)
    for name in ("bin", "sbin", "lib", "lib64"):
        os.symlink(f"usr/{name}", f"{root}/{name}")
    os.chroot(root)
    os.chdir("/")


def main():
    words = sys.argv[1:]
    if len(words) < 4 or words[0].startswith("-"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    uid = pwd.getpwnam(words[0]).pw_uid
    root = tempfile.mkdtemp(prefix="changeover-copy-", dir="/run")
    child = os.fork()
    if child == 0:
        try:
            enclose(root, words[1], words[2], uid)
            os.execvpe(words[3], words[3:], {"PATH": "/usr/sbin:/usr/bin", "LC_ALL": "C.UTF-8"})
        except Untrusted as why:
            print(f"refused: {why}", file=sys.stderr)
            os._exit(77)
        except OSError as why:
            print(f"{why.filename}: {why.strerror}", file=sys.stderr)
            os._exit(1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.rmdir(root)
    sys.exit(code if code >= 0 else 128 - code)


main()

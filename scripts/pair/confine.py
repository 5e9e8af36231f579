#!/usr/bin/env python3
"""Run a command as root that can reach one folder only, which another account may own.

Usage: confine.py FOLDER ASIDE FILE COMMAND…

Makes FOLDER when it is not there. COMMAND sees FOLDER as /folder, a folder of root as /aside, a copy of FILE as /file, the programs of
this machine, and nothing else: whatever a link in FOLDER names, and whenever it is placed there, it
leads to no other file of this machine. `none` for ASIDE or FILE: there is none. Refuses (77) a
FOLDER to which another account than its owner could lead.
"""

import contextlib
import ctypes
import os
import pwd
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from handles import OWN, Untrusted, open_folder  # noqa: E402

MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
CLONE_NEWNS = 0x00020000
JAIL = "/run"
PROGRAMS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
NO_GROUP = 65534


@contextlib.contextmanager
def as_user(user):
    """Reach files as another account, with no right of root."""
    if user == os.geteuid():
        yield
        return
    groups = os.getgroups()
    try:
        account = pwd.getpwuid(user)
        others, group = os.getgrouplist(account.pw_name, account.pw_gid), account.pw_gid
    except KeyError:
        others, group = [], NO_GROUP
    os.setgroups(others)
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def open_without_links(path):
    """A handle of a folder that is not root's, by a path without a link. Who exchanges a part of it can only place there
    what was in that account's own folders before. @raise Untrusted, OSError
    """
    at = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    for part in path.strip("/").split("/"):
        below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
        os.close(at)
        at = below
    if os.fstat(at).st_uid in OWN:
        os.close(at)
        raise Untrusted(f"{path} belongs to root, but another user could exchange it")
    return at


def open_carried(path):
    """A handle of a folder that root copies into.

    Where root alone decides what the path is, the folder may be anybody's. Where another account could lead the path
    elsewhere, no link is followed; or links are followed as that account, and only to a folder of its own.
    @raise Untrusted, OSError
    """
    try:
        return open_folder(path, last=os.lstat(path).st_uid)
    except Untrusted as error:
        with contextlib.suppress(NotADirectoryError, OSError):
            return open_without_links(path)
        if error.owner in OWN:
            raise
        with as_user(error.owner):
            opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        if os.fstat(opened).st_uid != error.owner:
            os.close(opened)
            raise Untrusted(f"{error}, and {path} is not of the same user", error.owner) from None
        return opened


def make_carried(path):
    """Make the folder of a path that root alone decides; as any other is it must be there. @raise Untrusted, OSError"""
    missing = []
    while not os.path.lexists(path):
        missing.append(os.path.basename(path))
        path = os.path.dirname(path)
    if missing:
        at = open_folder(path)
        for name in reversed(missing):
            os.mkdir(name, 0o755, dir_fd=at)
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        os.close(at)


LIBC = ctypes.CDLL(None, use_errno=True)


def mount(source, target, kind=None, flags=0, options=None):
    words = [word.encode() if isinstance(word, str) else word for word in (source, target, kind)]
    if LIBC.mount(*words, ctypes.c_ulong(flags), options.encode() if options else None):
        raise OSError(ctypes.get_errno(), f"{os.strerror(ctypes.get_errno())}: mount {target}")


def leave_mounts():
    """From now on mounts of this process are its own. A handle can be mounted only if it is opened after that."""
    if LIBC.unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), f"{os.strerror(ctypes.get_errno())}: unshare")
    mount("none", "/", None, MS_REC | MS_PRIVATE)


def build(folder, aside, secret):
    """Make the root of the command at JAIL. @param folder, aside handles"""
    mount("tmpfs", JAIL, "tmpfs", 0, "size=1m,mode=0755")
    for path in PROGRAMS:
        if os.path.islink(path):
            os.symlink(os.readlink(path), f"{JAIL}{path}")
        elif os.path.isdir(path):
            os.mkdir(f"{JAIL}{path}")
            mount(path, f"{JAIL}{path}", None, MS_BIND)
            mount("none", f"{JAIL}{path}", None, MS_REMOUNT | MS_BIND | MS_RDONLY)
    for opened, name in ((folder, "folder"), (aside, "aside")):
        if opened is not None:
            os.mkdir(f"{JAIL}/{name}")
            mount(f"/proc/self/fd/{opened}", f"{JAIL}/{name}", None, MS_BIND | MS_REC)
    if secret is not None:
        with open(os.open(f"{JAIL}/file", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as copy:
            copy.write(secret)
    os.mkdir(f"{JAIL}/dev")
    os.mknod(f"{JAIL}/dev/null", stat.S_IFCHR | 0o666, os.makedev(1, 3))


def main():
    if len(sys.argv) < 5 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    path, aside, file, *command = sys.argv[1:]
    try:
        secret = None if file == "none" else open(file, "rb").read()
        make_carried(path)
        leave_mounts()
        build(open_carried(path), None if aside == "none" else open_folder(aside), secret)
    except Untrusted as error:
        print(f"refused: {error}; make root the owner of the folders above {path}, or the owner of {path}", file=sys.stderr)
        sys.exit(77)
    except OSError as error:
        print(f"{path} can't be confined: {error}", file=sys.stderr)
        sys.exit(75)
    os.chroot(JAIL)
    os.chdir("/")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()

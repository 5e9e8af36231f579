#!/usr/bin/env python3
"""Make the folders of a pool, so that the application may write in the shared folders at the ends of its links and nowhere else.

Usage: folders.py FOLDER OWNER_UID OWNER_GID [TARGET…]    (a TARGET is a folder under FOLDER/shared)

Releases, archives and the folders on the way to a TARGET belong to root. What an older version of these scripts gave to the
owner is taken back from the top down, by handles that follow no link: once a folder is root's, nobody exchanges its entries.
A TARGET that is there stays as it is, since a volume may be mounted there. Ends with 77 at a link in the place of a folder.
"""

import os
import stat
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from handles import Untrusted, open_folder  # noqa: E402

FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# What goes: the right to write of others than root, and to run as somebody else.
TAKEN = 0o6022


def take(handle):
    """An open file or folder becomes root's. The second look is at what nobody else can change any more."""
    if os.fstat(handle).st_uid != 0 or os.fstat(handle).st_gid != 0:
        os.fchown(handle, 0, 0)
    mode = stat.S_IMODE(os.fstat(handle).st_mode)
    if mode & TAKEN:
        os.fchmod(handle, mode & ~TAKEN)


def folder_in(parent, name, path):
    """A handle of the folder `name`, which is made if it is missing. @raise Untrusted for a link"""
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        pass
    try:
        return os.open(name, FOLDER_FLAGS, dir_fd=parent)
    except OSError as error:
        raise Untrusted(f"{path} is a link or a file; move the folder itself to {path}") from error


def own_folder_in(parent, name, path):
    handle = folder_in(parent, name, path)
    take(handle)
    return handle


def is_ours(found, owner):
    """A second name of a file of somebody else says nothing about who may have it."""
    return stat.S_ISDIR(found.st_mode) or stat.S_ISREG(found.st_mode) and (found.st_nlink == 1 or found.st_uid == owner)


def take_all(folder, device, owner):
    """Everything below a folder that is root's already; links stay, and so does another file system."""
    for name in os.listdir(folder):
        found = os.lstat(name, dir_fd=folder)
        is_folder = stat.S_ISDIR(found.st_mode)
        # An overlay file system gives its files other numbers of devices than its folders.
        if not is_ours(found, owner) or (is_folder and found.st_dev != device):
            continue
        below = os.open(name, FOLDER_FLAGS if is_folder else os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            take(below)
            if is_folder:
                take_all(below, device, owner)
        finally:
            os.close(below)


def make_as(owner, folder, path):
    """Make folders in one that is the owner's, as the owner."""
    pid = os.fork()
    if pid == 0:
        try:
            os.fchdir(folder)
            os.setgroups([])
            os.setgid(owner[1])
            os.setuid(owner[0])
            os.makedirs(path, exist_ok=True)
            os._exit(0)
        except OSError:
            os._exit(1)
    if os.waitpid(pid, 0)[1] != 0:
        raise Untrusted(f"{path} can't be made by user {owner[0]}; make it there")


def have_target(shared, top, target, targets, owner):
    """The folder at the end of a link: made for the owner, in folders of root, or by the owner on a volume or in another target."""
    parts, at, device = target.split("/"), os.dup(shared), os.fstat(shared).st_dev
    try:
        for done, part in enumerate(parts[:-1], 1):
            below = folder_in(at, part, "/".join([top, *parts[:done]]))
            os.close(at)
            at = below
            if os.fstat(at).st_dev != device or "/".join(parts[:done]) in targets:
                return make_as(owner, at, "/".join(parts[done:]))
            take(at)
        try:
            os.mkdir(parts[-1], 0o755, dir_fd=at)
        except FileExistsError:
            return None
        made = os.open(parts[-1], FOLDER_FLAGS, dir_fd=at)
        os.fchown(made, *owner)
        os.close(made)
    finally:
        os.close(at)


def main():
    if len(sys.argv) < 4 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    path, owner, targets = sys.argv[1], (int(sys.argv[2]), int(sys.argv[3])), sys.argv[4:]
    os.umask(0o022)
    try:
        top = open_folder(path)
        for name in ("releases", "archives"):
            handle = own_folder_in(top, name, f"{path}/{name}")
            take_all(handle, os.fstat(handle).st_dev, owner[0])
        shared = own_folder_in(top, "shared", f"{path}/shared")
        for target in targets:
            if {"", ".", ".."} & set(target.split("/")):
                raise Untrusted(f"{target} is no path below {path}/shared; correct the pool's links")
            have_target(shared, f"{path}/shared", target, targets, owner)
    except (Untrusted, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(77)


main()

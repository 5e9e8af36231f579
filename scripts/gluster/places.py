#!/usr/bin/env python3
"""Move or exchange folders by handles, so that no link of another account is followed; also a module that opens them.

Usage: places.py OWNER exchange FIRST SECOND    both change places in one system call, so neither is ever missing
       places.py OWNER move FROM TO             FROM is a folder; ends with 18 when TO is on another file system
       places.py OWNER folder PATH              make a folder that root owns, if it is missing

The folder that PATH is in may belong to OWNER; what is above it belongs to root. Ends with 1 and says why not, with 77
when another account could have exchanged a part of a path.
"""

import ctypes
import errno
import os
import pwd
import stat
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]
sys.dont_write_bytecode = True

from handles import Untrusted, open_folder  # noqa: E402

NO_REPLACE, EXCHANGE = 1, 2


def parent_of(path, uid):
    """(handle of the folder that `path` is in, its name there)."""
    folder, name = os.path.split(os.path.normpath(path))
    return open_folder(folder, last=uid), name


def open_in(path, uid):
    """A handle of the folder at `path`, which may belong to anybody and is no link."""
    parent, name = parent_of(path, uid)
    try:
        return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=parent)
    finally:
        os.close(parent)


def rename(first, second, uid, how):
    (a, name_a), (b, name_b) = parent_of(first, uid), parent_of(second, uid)
    if how == NO_REPLACE and not stat.S_ISDIR(os.lstat(name_a, dir_fd=a).st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), first)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.renameat2(a, os.fsencode(name_a), b, os.fsencode(name_b), how):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), f"{first} and {second}")
    os.fsync(a)
    os.fsync(b)


def make(path, uid):
    parent, name = parent_of(path, uid)
    try:
        os.mkdir(name, 0o700, dir_fd=parent)
    except FileExistsError:
        os.close(open_in(path, uid))


def main():
    words = sys.argv[1:]
    if [len(words), *words[1:2]] not in ([4, "exchange"], [4, "move"], [3, "folder"]):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    uid = pwd.getpwnam(words[0]).pw_uid
    try:
        if words[1] == "folder":
            make(words[2], uid)
        else:
            rename(words[2], words[3], uid, EXCHANGE if words[1] == "exchange" else NO_REPLACE)
    except Untrusted as why:
        print(f"refused: {why}", file=sys.stderr)
        sys.exit(77)
    except OSError as why:
        print(f"{why.filename}: {why.strerror}", file=sys.stderr)
        sys.exit(errno.EXDEV if why.errno == errno.EXDEV else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Compare a folder with its copy: count, size, checksum, owner and mode of all files in it. Read-only.

Usage: compare-folders.py equal|held SOURCE COPY OWNER

`equal`: the copy has exactly the files of the source. `held`: the copy has all files of the source, and may have
more. In both cases OWNER owns all files of the copy. Prints one line; ends with 77 when they differ, with the
differences on stderr.
"""

import hashlib
import os
import pwd
import stat
import sys

OURS = ".changeover"
SHOWN = 20


def checksum(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def described(path):
    """Kind, mode and content of a file, folder or link; not its owner."""
    status = os.lstat(path)
    if stat.S_ISLNK(status.st_mode):
        return "link", None, os.readlink(path)
    if stat.S_ISDIR(status.st_mode):
        return "folder", oct(stat.S_IMODE(status.st_mode)), None
    return "file", oct(stat.S_IMODE(status.st_mode)), checksum(path)


def inventory(folder):
    """All paths below a folder, by relative path, without the marker folder of this program."""
    paths = {}
    for where, folders, files in os.walk(folder):
        if where == folder:
            folders[:] = [name for name in folders if name != OURS]
        for name in folders + files:
            path = os.path.join(where, name)
            paths[os.path.relpath(path, folder)] = path
    return paths


def differences(source, copy, owner, exactly):
    """How the copy differs, a line each; empty: it does not."""
    uid, gid = pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid
    wanted, present = inventory(source), inventory(copy)
    lines = [f"{name} is missing" for name in sorted(wanted.keys() - present.keys())]
    if exactly:
        lines += [f"{name} is only in the copy" for name in sorted(present.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & present.keys()):
        both = zip(("kind", "mode", "content"), described(wanted[name]), described(present[name]))
        different = [text for text, original, copied in both if original != copied]
        if different:
            lines.append(f"{name} differs in {', '.join(different)}")
    for name, path in sorted(present.items()):
        status = os.lstat(path)
        if (status.st_uid, status.st_gid) != (uid, gid):
            lines.append(f"{name} belongs to {status.st_uid}.{status.st_gid}, not to {owner}.{owner}")
    return lines


def size(folder):
    return sum(os.lstat(path).st_size for path in inventory(folder).values() if stat.S_ISREG(os.lstat(path).st_mode))


def main():
    words = sys.argv[1:]
    if len(words) != 4 or words[0] not in ("equal", "held"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    how, source, copy, owner = words
    lines = differences(source, copy, owner, how == "equal")
    if lines:
        print(f"{copy} differs from {source} in {len(lines)} place(s):", *lines[:SHOWN], sep="\n  ", file=sys.stderr)
        sys.exit(77)
    print(f"{len(inventory(source))} files and folders, {size(source)} bytes, equal by checksum and mode, all owned by {owner}.{owner}")


if __name__ == "__main__":
    main()

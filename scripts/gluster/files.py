#!/usr/bin/env python3
"""Compare a folder with its copy: count, size, checksum, owner and mode of everything in them. Read-only.

Usage: files.py equal|held SOURCE COPY OWNER

`equal`: the copy has all of the source and nothing else. `held`: it has all of it. In both, all in the copy
belongs to OWNER. One line on stdout; ends with 77 when they differ, with the differences on stderr.
"""

import hashlib
import os
import pwd
import stat
import sys

OURS = ".changeover"


def checksum(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def described(path):
    """Kind, mode and content of one thing, owner aside."""
    found = os.lstat(path)
    if stat.S_ISLNK(found.st_mode):
        return "link", None, os.readlink(path)
    if stat.S_ISDIR(found.st_mode):
        return "folder", oct(stat.S_IMODE(found.st_mode)), None
    return "file", oct(stat.S_IMODE(found.st_mode)), checksum(path)


def inventory(folder):
    """What is in a folder, by relative path; the marks of this program aside."""
    found = {}
    for where, folders, files in os.walk(folder):
        if where == folder:
            folders[:] = [name for name in folders if name != OURS]
        for name in folders + files:
            path = os.path.join(where, name)
            found[os.path.relpath(path, folder)] = path
    return found


def differences(source, copy, owner, exactly):
    """Lines; empty: the copy is right."""
    uid, gid = pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid
    have, got = inventory(source), inventory(copy)
    lines = [f"{name} is missing" for name in sorted(have.keys() - got.keys())]
    if exactly:
        lines += [f"{name} is only in the copy" for name in sorted(got.keys() - have.keys())]
    for name in sorted(have.keys() & got.keys()):
        wanted, is_so = described(have[name]), described(got[name])
        what = [text for text, one, other in zip(("kind", "mode", "content"), wanted, is_so) if one != other]
        if what:
            lines.append(f"{name} differs in {', '.join(what)}")
    for name, path in sorted(got.items()):
        found = os.lstat(path)
        if (found.st_uid, found.st_gid) != (uid, gid):
            lines.append(f"{name} belongs to {found.st_uid}.{found.st_gid}, not to {owner}.{owner}")
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
        print(f"{copy} is no copy of {source}, {len(lines)} difference(s):", *lines[:20], sep="\n  ", file=sys.stderr)
        sys.exit(77)
    print(f"{len(inventory(source))} files and folders, {size(source)} bytes, equal by checksum and mode, all owned by {owner}.{owner}")


if __name__ == "__main__":
    main()

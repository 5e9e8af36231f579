#!/usr/bin/env python3
"""Compare a folder with its copy: count, size, checksum, owner, mode and all else that a file has. Read-only.

Usage: compare-folders.py equal|held SOURCE COPY OWNER [UID GID]

`equal`: the copy has exactly the files of the source. `held`: the copy has all files of the source, and may have
more. In both cases OWNER owns all files of the copy. Follows no link, and opens plain files only. Prints one line; ends
with 77 when they differ, with the differences on stderr.
"""

import hashlib
import os
import pwd
import stat
import sys

OURS = ".changeover"
SHOWN = 20
KINDS = {stat.S_IFLNK: "link", stat.S_IFDIR: "folder", stat.S_IFREG: "file", stat.S_IFIFO: "fifo", stat.S_IFSOCK: "socket"}
ACCESS_LISTS = ("system.posix_acl_access", "system.posix_acl_default")


def checksum(path):
    digest = hashlib.sha256()
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def attributes(path):
    """What a file has beside its mode: users' attributes, and lists of who may use it."""
    found = {}
    try:
        for name in os.listxattr(path, follow_symlinks=False):
            if name.startswith("user.") or name in ACCESS_LISTS:
                found[name] = os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        pass
    return found


def described(path):
    """Kind, mode, content and attributes of a file, folder or link; not its owner."""
    status = os.lstat(path)
    kind = KINDS.get(stat.S_IFMT(status.st_mode), f"device {status.st_rdev}")
    mode = None if kind == "link" else oct(stat.S_IMODE(status.st_mode))
    content = os.readlink(path) if kind == "link" else checksum(path) if kind == "file" else None
    return {"kind": kind, "mode": mode, "content": content, "attributes": attributes(path)}


def inventory(folder):
    """All paths below a folder, by relative path, without the marker folder of this program."""
    paths = {}

    def fail(error):
        raise error

    for where, folders, files in os.walk(folder, onerror=fail):
        if where == folder:
            folders[:] = [name for name in folders if name != OURS]
        for name in folders + files:
            path = os.path.join(where, name)
            paths[os.path.relpath(path, folder)] = path
    return paths


def linked(paths):
    """By relative path the first name of the same file, where a file has several names."""
    first, names = {}, {}
    for name in sorted(paths):
        status = os.lstat(paths[name])
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            names[name] = first.setdefault((status.st_dev, status.st_ino), name)
    return {name: other for name, other in names.items() if name != other}


def differences(source, copy, owner, exactly):
    """How the copy differs, a line each; empty: it does not. `owner`: (name, uid, gid)."""
    wanted, present = inventory(source), inventory(copy)
    lines = [f"{name!r} is missing" for name in sorted(wanted.keys() - present.keys())]
    if exactly:
        lines += [f"{name!r} is only in the copy" for name in sorted(present.keys() - wanted.keys())]
    same, kept = linked(wanted), linked(present)
    for name in sorted(wanted.keys() & present.keys()):
        original, copied = described(wanted[name]), described(present[name])
        different = [key for key, value in original.items() if copied[key] != value]
        if exactly and same.get(name) != kept.get(name):
            different.append("which names are one file")
        if different:
            lines.append(f"{name!r} differs in {', '.join(different)}")
    for name, path in sorted(present.items()):
        status = os.lstat(path)
        if (status.st_uid, status.st_gid) != owner[1:]:
            lines.append(f"{name!r} belongs to {status.st_uid}.{status.st_gid}, not to {owner[0]}.{owner[0]}")
    return lines


def size(folder):
    return sum(os.lstat(path).st_size for path in inventory(folder).values() if stat.S_ISREG(os.lstat(path).st_mode))


def main():
    words = sys.argv[1:]
    if len(words) not in (4, 6) or words[0] not in ("equal", "held"):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    how, source, copy, owner = words[:4]
    ids = [int(word) for word in words[4:]] or [pwd.getpwnam(owner).pw_uid, pwd.getpwnam(owner).pw_gid]
    lines = differences(source, copy, (owner, *ids), how == "equal")
    if lines:
        print(f"the copy differs in {len(lines)} place(s):", *lines[:SHOWN], sep="\n  ", file=sys.stderr)
        sys.exit(77)
    print(f"{len(inventory(source))} files and folders, {size(source)} bytes, equal by checksum and mode, all owned by {owner}.{owner}")


if __name__ == "__main__":
    main()

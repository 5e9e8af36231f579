#!/usr/bin/env python3
"""Refuse a path of which another account could exchange a part. Read-only; also a module that opens and writes by handles.

Usage: handles.py PATH…

Root follows nothing that another account can change: a link counts only where root alone may place one. Ends with 77
and names the part of PATH that belongs to another account, or that another account may write to. What is not there yet is fine.
"""

import os
import stat
import sys

LINKS_MOST = 40
OWN = frozenset({0, os.geteuid()})


class Untrusted(Exception):
    """A part of a path belongs to another account, or another account may exchange it. `owner`: whose that part is."""

    def __init__(self, why, owner=0):
        super().__init__(why)
        self.owner = owner


def is_shared(found):
    """Whether accounts besides the owner may place names in a folder."""
    return bool(found.st_mode & 0o022)


def check(found, path, parent):
    """@raise Untrusted unless root alone decides what `path` is."""
    if found.st_uid not in OWN:
        raise Untrusted(f"{path} belongs to user {found.st_uid}; root follows only what belongs to root", found.st_uid)
    if is_shared(parent) and not parent.st_mode & stat.S_ISVTX:
        raise Untrusted(f"{os.path.dirname(path) or '/'} may be written by other users, who could exchange {path}", found.st_uid)


def open_folder(path, last=None):
    """A handle of the folder `path`, opened part by part.

    @param last user that the folder itself may belong to besides root; its parents always are root's
    @raise Untrusted, OSError
    """
    parts, at, links = path.strip("/").split("/"), os.open("/", os.O_RDONLY | os.O_DIRECTORY), 0
    parts = [part for part in parts if part not in ("", ".")]
    done = []
    try:
        while parts:
            part = parts.pop(0)
            here = "/" + "/".join([*done, part])
            if part == "..":
                raise Untrusted(f"{path} has a part `..`")
            found, parent = os.lstat(part, dir_fd=at), os.fstat(at)
            if not (parts == [] and found.st_uid == last and stat.S_ISDIR(found.st_mode)):
                check(found, here, parent)
            if stat.S_ISLNK(found.st_mode):
                links += 1
                target = os.readlink(part, dir_fd=at)
                if links > LINKS_MOST:
                    raise Untrusted(f"{path} passes more than {LINKS_MOST} links")
                where = os.path.normpath(os.path.join("/" + "/".join(done), target))
                parts = [name for name in where.split("/") if name] + parts
                done = []
                os.close(at)
                at = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
                continue
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
            done.append(part)
        return at
    except BaseException:
        os.close(at)
        raise


def require_own(path):
    """Check every part of `path` that is there, itself included. @raise Untrusted, OSError"""
    path = os.path.normpath(path)
    while True:
        try:
            folder = open_folder(os.path.dirname(path))
            break
        except FileNotFoundError:
            path = os.path.dirname(path)
    try:
        found, parent = os.lstat(os.path.basename(path) or ".", dir_fd=folder), os.fstat(folder)
    except FileNotFoundError:
        if is_shared(os.fstat(folder)) and not os.fstat(folder).st_mode & stat.S_ISVTX:
            raise Untrusted(f"{os.path.dirname(path)} may be written by other users, who could place {path}") from None
        return
    finally:
        os.close(folder)
    check(found, path, parent)
    if stat.S_ISLNK(found.st_mode):
        require_own(os.path.join(os.path.dirname(path), os.readlink(path)))


def write_file(path, text, mode=0o644):
    """Write `text` to `path` so that a reader sees the old text or the new one, also after a power cut.

    @raise Untrusted, OSError: the old text stays
    """
    folder, name = open_folder(os.path.dirname(path)), os.path.basename(path)
    draft = f".{name}.{os.getpid()}.new"
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode, dir_fd=folder), "wb") as file:
            file.write(text.encode() if isinstance(text, str) else text)
            file.flush()
            os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    except BaseException:
        try:
            os.unlink(draft, dir_fd=folder)
        except OSError:
            pass
        raise
    finally:
        os.close(folder)


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    for path in sys.argv[1:]:
        try:
            require_own(path)
        except (Untrusted, OSError) as error:
            print(f"refused: {error}", file=sys.stderr)
            sys.exit(77)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Read or write the marker of a volume, .changeover/volume, through its mount.

Usage: marker.py read MOUNT
       marker.py write MOUNT HOST     stdin is the marker; one that is there stays

The volume's first folder belongs to its owner, who may put anything there. So .changeover counts only when it is a folder
that root owns and nobody else may write to, and links are not followed. Ends with 77 when it is anything else.
"""

import os
import stat
import sys

OURS, NAME = ".changeover", "volume"
LONGEST = 4096


def refuse(text):
    print(f"refused: {text}", file=sys.stderr)
    sys.exit(77)


def folder_of(mount, make=False):
    """A handle of the folder of our files in a volume. @raise OSError"""
    at = os.open(mount, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if make:
            try:
                os.mkdir(OURS, 0o755, dir_fd=at)
            except FileExistsError:
                pass
        folder = os.open(OURS, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
    finally:
        os.close(at)
    found = os.fstat(folder)
    if found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise PermissionError(1, f"belongs to user {found.st_uid}, or others may write to it; move it away", f"{mount}/{OURS}")
    return folder


def read(folder):
    with open(os.open(NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(22, "is no file", NAME)
        return file.read(LONGEST)


def write(folder, host, text):
    draft = f"{NAME}.{host}"
    try:
        os.unlink(draft, dir_fd=folder)
    except FileNotFoundError:
        pass
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, NAME, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        pass
    os.unlink(draft, dir_fd=folder)


def main():
    words = sys.argv[1:]
    if [len(words), *words[:1]] not in ([2, "read"], [3, "write"]):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    try:
        folder = folder_of(words[1], make=words[0] == "write")
        if words[0] == "write":
            write(folder, words[2], sys.stdin.buffer.read())
        else:
            sys.stdout.buffer.write(read(folder))
    except OSError as error:
        refuse(f"{error.filename}: {error.strerror}")


if __name__ == "__main__":
    main()

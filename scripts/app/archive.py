#!/usr/bin/env python3
"""Check the archive of a release and unpack it.

Usage: archive.py SOURCE SHA256 KEPT FOLDER

SOURCE is a path, or an http(s) URL whose file is kept at KEPT. Ends with 77, and unpacks nothing, if
the archive has another checksum, or names outside of FOLDER. Ends with 75 if SOURCE can't be fetched.
"""

import hashlib
import os
import posixpath
import shutil
import sys
import tarfile
import urllib.request

SILENT_S = 20
SPARE_BYTES = 64 << 20


def end(code, text):
    print(f"{'refused' if code == 77 else 'timed out'}: {text}", file=sys.stderr)
    sys.exit(code)


def digest(file):
    checksum = hashlib.sha256()
    file.seek(0)
    while piece := file.read(1 << 20):
        checksum.update(piece)
    file.seek(0)
    return checksum.hexdigest()


def is_kept(path, sha256):
    try:
        with open(path, "rb") as file:
            return digest(file) == sha256
    except OSError:
        return False


def fetch(url, sha256, kept):
    """Fetch URL to KEPT. A file is at KEPT only if it is complete and has the right checksum."""
    if is_kept(kept, sha256):
        return kept
    part = f"{kept}.part"
    try:
        with urllib.request.urlopen(url, timeout=SILENT_S) as answer, open(part, "wb+") as file:
            shutil.copyfileobj(answer, file)
            found = digest(file)
    except OSError as error:
        end(75, f"{url} can't be fetched: {error}")
    if found != sha256:
        os.remove(part)
        end(77, f"{url} has sha256 {found}, the config says {sha256}; correct the archive or the config; nothing was changed")
    os.replace(part, kept)
    return kept


def is_inside(name):
    path = posixpath.normpath(name)
    return not path.startswith("/") and path != ".." and not path.startswith("../")


def fault(member):
    """Why a member must not be unpacked; None: it may be unpacked."""
    if not is_inside(member.name):
        return "is outside of the release"
    if member.issym():
        target = posixpath.join(posixpath.dirname(member.name), member.linkname)
        return None if is_inside(target) else f"leads to {member.linkname}, outside of the release"
    return None if member.isfile() or member.isdir() else "is neither a file, a folder nor a link"


def require_inside(members):
    """Refuse members outside of the release, and members under a link of the archive."""
    links = {posixpath.normpath(member.name) for member in members if member.issym()}
    for member in members:
        why = fault(member)
        path = posixpath.normpath(member.name)
        while why is None and (path := posixpath.dirname(path)):
            why = f"is under the link {path}" if path in links else None
        if why:
            end(77, f"the archive has {member.name!r}, which {why}; remove it from the archive; nothing was unpacked")


def unpack(file, folder):
    with tarfile.open(fileobj=file) as archive:
        members = archive.getmembers()
        require_inside(members)
        needed, free = sum(member.size for member in members), shutil.disk_usage(os.path.dirname(folder)).free
        if free < needed + SPARE_BYTES:
            end(77, f"{folder} has {free >> 20} MiB free (needed: {(needed + SPARE_BYTES) >> 20} MiB); free some disk space; nothing was unpacked")
        os.makedirs(folder)
        for member in members:
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.uid = member.gid = 0
            member.uname = member.gname = "root"
            archive.extract(member, folder)


def main():
    if len(sys.argv) != 5:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    source, sha256, kept, folder = sys.argv[1:]
    path = fetch(source, sha256, kept) if source.startswith(("http://", "https://")) else source
    try:
        with open(path, "rb") as file:
            found = digest(file)
            if found != sha256:
                end(77, f"{path} has sha256 {found}, the config says {sha256}; correct the archive or the config; nothing was changed")
            unpack(file, folder)
    except (OSError, tarfile.TarError) as error:
        end(77, f"{path} can't be unpacked: {error}")


main()

#!/usr/bin/env python3
"""Check the archive of a release and unpack it.

Usage: archive.py SOURCE SHA256 KEPT FOLDER

SOURCE is a path, or an http(s) URL whose file is kept at KEPT. Ends with 77, and leaves nothing, if the archive
has another checksum, or a member that is not inside of FOLDER. Ends with 75 if SOURCE can't be fetched.
"""

import hashlib
import os
import shutil
import sys
import tarfile
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from unpacking import Refused, require_links_inside, unpack  # noqa: E402

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
    part, found = f"{kept}.part", None
    try:
        if os.path.lexists(part):
            os.remove(part)
        with urllib.request.urlopen(url, timeout=SILENT_S) as answer, open(part, "xb+") as file:
            shutil.copyfileobj(answer, file)
            found = digest(file)
        if found == sha256:
            os.replace(part, kept)
            return kept
    except OSError as error:
        end(75, f"{url} can't be fetched: {error}")
    finally:
        if found != sha256 and os.path.lexists(part):
            os.remove(part)
    end(77, f"{url} has sha256 {found}, the config says {sha256}; correct the archive or the config; nothing was changed")


def require_room(members, folder):
    needed, free = sum(member.size for member in members) + SPARE_BYTES, shutil.disk_usage(os.path.dirname(folder)).free
    if free < needed:
        end(77, f"{folder} has {free >> 20} MiB free (needed: {needed >> 20} MiB); free some disk space; nothing was unpacked")


def place(file, folder):
    """Unpack to FOLDER, which is not there yet, and is not there after a refusal."""
    with tarfile.open(fileobj=file) as archive:
        require_room(archive.getmembers(), folder)
        os.mkdir(folder, 0o755)
        os.chmod(folder, 0o755)
        try:
            unpack(archive, folder)
            require_links_inside(folder)
        except BaseException:
            shutil.rmtree(folder)
            raise


def main():
    if len(sys.argv) != 5:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] == ["--help"] else 64)
    source, sha256, kept, folder = sys.argv[1:]
    os.umask(0o022)
    path = fetch(source, sha256, kept) if source.startswith(("http://", "https://")) else source
    try:
        with open(path, "rb") as file:
            found = digest(file)
            if found != sha256:
                end(77, f"{path} has sha256 {found}, the config says {sha256}; correct the archive or the config; nothing was changed")
            place(file, folder)
    except Refused as error:
        end(77, f"the archive has {error}; remove it from the archive; nothing was unpacked")
    # A hostile archive brings more than TarError out of its reader.
    except Exception as error:
        end(77, f"{path} can't be unpacked: {error}")


main()

"""Unpack a tar archive so that nothing outside of one folder is read, made or changed, whatever its members are."""

import contextlib
import os
import shutil
import stat

NAME_BYTES_MOST = 1000
LINKS_MOST = 40
FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class Refused(Exception):
    """A member that must not be unpacked, and why."""


def refused(name, why):
    return Refused(f"{name!r}, which {why}")


def parts_of(name):
    """The parts of a member's name; empty: the folder itself. @raise Refused"""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or os.path.normpath(name).startswith(".."):
        raise refused(name, "is outside of the release")
    if ".." in parts:
        raise refused(name, "has a part `..`")
    if len(os.fsencode(name)) > NAME_BYTES_MOST:
        raise refused(f"{name[:60]}…", f"has more than {NAME_BYTES_MOST} bytes in its name")
    return parts


class Below:
    """A folder below another one, by a handle that followed no link."""

    def __init__(self, root, parts, name):
        self.root, self.parts, self.name = root, parts, name

    def __enter__(self):
        at, done = os.dup(self.root), []
        try:
            for part in self.parts:
                done.append(part)
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=at)
                below = os.open(part, FOLDER_FLAGS, dir_fd=at)
                os.close(at)
                at = below
        except NotADirectoryError as error:
            where = "/".join(done)
            kind = "link" if stat.S_ISLNK(os.lstat(done[-1], dir_fd=at).st_mode) else "file"
            os.close(at)
            raise refused(self.name, f"is under the {kind} {where}") from error
        except BaseException:
            os.close(at)
            raise
        self.handle = at
        return at

    def __exit__(self, *_):
        os.close(self.handle)


def make_room(name, folder, full_name):
    """A later member takes the place of an earlier one with its name, as tar has it; but not of a folder."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError) as error:
        raise refused(full_name, "is also the name of a folder") from error


def write(archive, member, name, folder):
    executable = member.mode & 0o100
    with open(os.open(name, NEW_FILE, 0o600, dir_fd=folder), "wb") as file:
        shutil.copyfileobj(archive.extractfile(member), file)
        os.fchmod(file.fileno(), 0o755 if executable else 0o644)
        file.flush()
        os.utime(file.fileno(), (member.mtime, member.mtime))


def link(root, member, name, folder):
    """A second name of a file of this archive. @raise Refused if the first one is no file of it"""
    *parents, first = parts_of(member.linkname) or [""]
    with Below(root, parents, member.linkname) as source:
        try:
            found = os.lstat(first, dir_fd=source)
        except FileNotFoundError:
            found = None
        if found is None or not stat.S_ISREG(found.st_mode):
            raise refused(member.name, f"is another name of {member.linkname}, which is no file of the archive")
        if os.path.normpath(member.linkname) == os.path.normpath(member.name):
            return
        make_room(name, folder, member.name)
        os.link(first, name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)


def unpack(archive, folder):
    """Unpack every member: owned by who runs this, with modes 0644 and 0755 alone. @raise Refused, OSError"""
    root = os.open(folder, FOLDER_FLAGS)
    try:
        for member in archive.getmembers():
            if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
                raise refused(member.name, "is neither a file, a folder nor a link")
            *parents, name = parts_of(member.name) or [None]
            if name is None:
                continue
            with Below(root, [*parents, name] if member.isdir() else parents, member.name) as at:
                if member.issym():
                    make_room(name, at, member.name)
                    os.symlink(member.linkname, name, dir_fd=at)
                elif member.islnk():
                    link(root, member, name, at)
                elif member.isfile():
                    make_room(name, at, member.name)
                    write(archive, member, name, at)
    finally:
        os.close(root)


def leads_out(folder, link_path):
    """Whether a link of the unpacked release leads out of it, also by way of its other links."""
    parts, at, links = link_path.split("/"), [], 0
    while parts:
        part = parts.pop(0)
        if part in ("", "."):
            continue
        if part == "..":
            if not at:
                return True
            at.pop()
            continue
        here = os.path.join(folder, *at, part)
        if not os.path.islink(here):
            at.append(part)
            continue
        target, links = os.readlink(here), links + 1
        if target.startswith("/") or links > LINKS_MOST:
            return True
        parts = target.split("/") + parts
    return False


def require_links_inside(folder):
    """@raise Refused for a link that leads out of the unpacked release"""
    for path, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            whole = os.path.join(path, name)
            inside = os.path.relpath(whole, folder)
            if os.path.islink(whole) and leads_out(folder, inside):
                raise refused(inside, f"leads to {os.readlink(whole)}, outside of the release")

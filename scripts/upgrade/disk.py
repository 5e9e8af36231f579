"""The disk usage of a host."""

import os


def nearest(path):
    """The path, or its nearest existing parent."""
    while path and not os.path.exists(path):
        path = os.path.dirname(path.rstrip("/"))
    return path or "/"


def used_percent(path, more_bytes=0):
    """Use% as df prints it, of the file system of a path, with more bytes written."""
    space = os.statvfs(nearest(path))
    used, free = (space.f_blocks - space.f_bfree) * space.f_frsize, space.f_bavail * space.f_frsize
    return min(100, -(-100 * (used + more_bytes) // max(1, used + free)))


def free_bytes(path):
    space = os.statvfs(nearest(path))
    return space.f_bavail * space.f_frsize


def full(settings, places=("folder", "backup_folder")):
    """{path: Use%} of the file systems above the limit of this host."""
    allowed, too_full, seen = int(settings["disk_percent"]), {}, set()
    for path in filter(None, (settings.get(place) for place in places)):
        device = os.stat(nearest(path)).st_dev
        if device not in seen and used_percent(path) > allowed:
            too_full[path] = used_percent(path)
        seen.add(device)
    return too_full

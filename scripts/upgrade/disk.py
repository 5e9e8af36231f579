"""How full a file system is."""

import os


def nearest(path):
    """The path, or what there is of it."""
    while path and not os.path.exists(path):
        path = os.path.dirname(path.rstrip("/"))
    return path or "/"


def used_percent(path, more_bytes=0):
    """Use% as df says it, of the file system that a path is on; after so many bytes more."""
    space = os.statvfs(nearest(path))
    used, free = (space.f_blocks - space.f_bfree) * space.f_frsize, space.f_bavail * space.f_frsize
    return min(100, -(-100 * (used + more_bytes) // max(1, used + free)))


def free_bytes(path):
    space = os.statvfs(nearest(path))
    return space.f_bavail * space.f_frsize


def full(settings, places=("folder", "backup_folder")):
    """{path: Use%} of the file systems that are fuller than this host allows."""
    allowed, found, seen = int(settings["disk_percent"]), {}, set()
    for path in filter(None, (settings.get(place) for place in places)):
        device = os.stat(nearest(path)).st_dev
        if device not in seen and used_percent(path) > allowed:
            found[path] = used_percent(path)
        seen.add(device)
    return found

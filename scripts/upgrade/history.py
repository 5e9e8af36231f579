"""What the database of the main host was brought to: the record that reconfigure.sh, package.sh and restore.sh write."""

from host import facts, pairs_of
from packages import kind_of, newer


def record(settings):
    return pairs_of(f"{facts(settings)}/reconfigured") or {}


def brought(settings):
    """The version that the database belongs to, None when nobody knows. A reconfigure that died has brought it there, too."""
    known = record(settings)
    if known.get("fresh"):
        return None
    return known.get("begun") or known.get("version") or known.get("found")


def is_newer(settings, version):
    """Whether the database is newer than a version; None when nobody knows."""
    of = brought(settings)
    return newer(kind_of(settings), of, version) if of else None


def spent(settings):
    """Backups that were put back already: nobody means them a second time."""
    return record(settings).get("spent", "").split()


def half_restored(settings):
    """The backup that a restore which has not ended is putting back."""
    return record(settings).get("restoring")

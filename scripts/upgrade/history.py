"""The schema of the main database, from the record that install-package, reconfigure-host and restore-database write."""

from host import facts, pairs_of
from packages import kind_of, newer


def record(settings):
    return pairs_of(f"{facts(settings)}/reconfigured") or {}


def schema_version(settings):
    """The version that the schema belongs to, or None if unknown. An interrupted reconfigure counts as done."""
    known = record(settings)
    if known.get("fresh"):
        return None
    return known.get("begun") or known.get("version") or known.get("found")


def is_newer(settings, version):
    """Whether the schema is newer than a version, or None if unknown."""
    schema = schema_version(settings)
    return newer(kind_of(settings), schema, version) if schema else None


def spent(settings):
    """Backups that were already restored: none is restored twice."""
    return record(settings).get("spent", "").split()


def half_restored(settings):
    """The backup of an unfinished restore."""
    return record(settings).get("restoring")

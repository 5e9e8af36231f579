"""How old a record is, whatever happened to the clock of this host since."""

import time


def boot():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def now():
    """What a record notes of its moment."""
    return {"at": int(time.time()), "boot": boot(), "up": round(time.clock_gettime(time.CLOCK_BOOTTIME))}


def age(record):
    """Seconds since the moment of a record, at least; None if the clock says that it is still to come.

    The seconds since the start of the machine never go back. A record from before that start is older than it.
    """
    by_clock, up = time.time() - record["at"], time.clock_gettime(time.CLOCK_BOOTTIME)
    if "boot" not in record:
        return by_clock if by_clock >= -1 else None
    return max(by_clock, up - record["up"] if record["boot"] == boot() else up)

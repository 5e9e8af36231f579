"""What a server is told while a dump is read into it, and told back."""

import os

from handles import write_file
from host import Ends, facts, log
from records import pairs_of
from stage import literal, take_over, variables

# A row may be as long as the dump program made it; nothing else writes meanwhile, no event either. A procedure that the dump
# replaces keeps the rights to it.
EASED = {
    **{"max_allowed_packet": str(1 << 30), "event_scheduler": "OFF", "read_only": "ON"},
    **{"log_bin_trust_function_creators": "ON", "innodb_force_primary_key": "OFF", "automatic_sp_privileges": "OFF"},
}


class Eased:
    """`with Eased(settings, asked)`: sessions that are opened within have these limits.

    The values from before are noted on the host first: a run that dies leaves them to the next one. A server that is started
    again has its own.
    """

    def __init__(self, settings, asked):
        self.file, self.asked = f"{facts(settings)}/eased", asked

    def __enter__(self):
        # A scheduler that was disabled at the server's start can't be turned off again.
        found = variables(self.asked, EASED)
        wanted = {key: value for key, value in EASED.items() if found.get(key) not in (None, "DISABLED")}
        noted = pairs_of(self.file) or {}
        before = {**found, **{key: value for key, value in noted.items() if found.get(key) == EASED.get(key)}}
        changed = {key: before[key] for key, value in wanted.items() if before[key] != value}
        os.makedirs(os.path.dirname(self.file), exist_ok=True)
        write_file(self.file, "".join(f"{key}={value}\n" for key, value in changed.items()))
        self.changed = changed
        try:
            take_over(self.asked, wanted, "GLOBAL")
        except Ends:
            self.__exit__()
            raise

    def __exit__(self, *_):
        try:
            for key, value in self.changed.items():
                self.asked.ask(f"SET GLOBAL {key} = {literal(value)}")
            os.unlink(self.file)
        except Ends as end:
            log(f"{', '.join(self.changed)} stay changed until the next run or the database's next start: {end}")

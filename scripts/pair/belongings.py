"""What this machine has beside the pair's data, on which a switch depends. Read-only; probe.py asks before a switch.

A switch loses what is not in the log (unlogged tables, slots), and leaves behind what is not in the database (settings,
libraries, locales). All databases are looked at. One that gives no answer in time is named as `unseen`.
"""

import glob
import hashlib
import os
import platform
import re
import time

from files import text_of
from role import BIN, PG_MAJOR, SESSION_OPTIONS, ask_server

LIBRARIES = os.path.join(os.path.dirname(BIN), "lib")
SHARED = f"/usr/share/postgresql/{PG_MAJOR}"
# In all, so that the preflight's limit of 10 s holds.
LIMIT_S = 5
# Settings of a machine or of a role: the pair sets them itself, or they can't be the same.
OWN = ("cluster_name", "primary_conninfo", "primary_slot_name", "data_directory", "config_file", "hba_file", "ident_file",
       "external_pid_file", "transaction_read_only", "max_stack_depth")
# What the options of this session hide is read from the server's files.
HIDDEN = re.findall(r"-c (\w+)=", SESSION_OPTIONS)
SERVER = f"""
select json_build_object(
  'version', current_setting('server_version'),
  'settings', (select json_object_agg(s.name, case when s.name in ({", ".join(f"'{name}'" for name in HIDDEN)})
      then coalesce(f.setting, s.boot_val) else current_setting(s.name) end)
    from pg_settings as s left join pg_file_settings as f on lower(f.name) = lower(s.name) and f.applied
    where context <> 'internal' and s.name not in ({", ".join(f"'{name}'" for name in OWN)})),
  'slots', (select coalesce(json_agg(json_build_object('name', slot_name, 'type', slot_type, 'active', active)), '[]')
    from pg_replication_slots where not temporary),
  'databases', (select json_agg(datname) from pg_database where datallowconn))
"""
# Collations that indexes are sorted by, with the versions that this machine's libraries have.
DATABASE = """
select json_build_object(
  'unlogged', (select coalesce(json_agg(c.oid::regclass::text), '[]') from pg_class as c
    where relpersistence = 'u' and relkind in ('r', 'S') and (relkind = 'S' or pg_relation_size(c.oid) > 0)),
  'libraries', (select coalesce(json_agg(distinct probin), '[]') from pg_proc where probin is not null),
  'extensions', (select json_agg(extname) from pg_extension),
  'dictionaries', (select coalesce(json_agg(dictinitoption), '[]') from pg_ts_dict where dictinitoption is not null),
  'files', (select coalesce(json_agg(option), '[]') from pg_foreign_table, unnest(ftoptions) as option where option like 'filename=%'),
  'subscriptions', (select coalesce(json_agg(subname), '[]') from pg_subscription
    where subdbid = (select oid from pg_database where datname = current_database())),
  'collations', (select coalesce(json_object_agg(name, version), '{}') from (
    select 'default' as name, pg_database_collation_actual_version(oid) as version from pg_database where datname = current_database()
    union select collname, pg_collation_actual_version(oid) from pg_collation
      where collprovider <> 'd' and oid in (select unnest(indcollation) from pg_index where indexrelid >= 16384)) as used
    where version is not null))
"""


def shown(name, value):
    """A setting for people: commands and connections may have passwords in them, so these have a fingerprint only."""
    if len(value) > 60 or re.search("command|conninfo|passphrase|password", name):
        return f"…{hashlib.sha256(value.encode()).hexdigest()[:6]}" if value else ""
    return value


def missing_files(found):
    """What a database names and this machine doesn't have: libraries, dictionaries, files of foreign tables."""
    for library in found["libraries"]:
        path = library.replace("$libdir", LIBRARIES) if "/" in library else f"{LIBRARIES}/{library}"
        if not (os.path.exists(path) or os.path.exists(f"{path}.so")):
            yield library
    for options in found["dictionaries"]:
        for name in re.findall(r"(?:dictfile|afffile|stopwords|synonyms|rules)\s*=\s*'([^']+)'", options, re.IGNORECASE):
            if not glob.glob(f"{SHARED}/tsearch_data/{glob.escape(name)}.*"):
                yield f"tsearch_data/{name}"
    for option in found["files"]:
        path = option.removeprefix("filename=")
        if not os.path.exists(path):
            yield path


def belongings(pair):
    """Everything, by what it is; None when the server does not answer."""
    deadline = time.monotonic() + LIMIT_S
    server = ask_server(pair, SERVER)
    if not server:
        return None
    zones = (text_of("/usr/share/zoneinfo/tzdata.zi") or "").split("\n", 1)[0].removeprefix("# version ")
    said = {
        "version": server["version"],
        "machine": platform.machine(),
        "zones": zones or None,
        "settings": {name: shown(name, value) for name, value in server["settings"].items()},
        "slots": server["slots"],
        **{key: [] for key in ("unlogged", "missing", "subscriptions", "unseen", "extensions")},
        "collations": {},
    }
    for name in server["databases"]:
        left = deadline - time.monotonic()
        found = ask_server(pair, DATABASE, name, min(2, left)) if left > 0 else None
        if not found:
            said["unseen"].append(name)
            continue
        said["unlogged"] += [f"{name}.{table}" for table in found["unlogged"]]
        said["missing"] += [f"{file} ({name})" for file in missing_files(found)]
        said["subscriptions"] += [f"{name}.{one}" for one in found["subscriptions"]]
        said["collations"].update({f"{collation} ({name})": version for collation, version in found["collations"].items()})
        said["extensions"] += [f"{one} ({name})" for one in found["extensions"] if not os.path.exists(f"{SHARED}/extension/{one}.control")]
    return said

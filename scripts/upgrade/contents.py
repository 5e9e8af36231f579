"""Queries for what a database contains, through an open session."""

import re
from typing import NamedTuple

# A name with other capitals is not the system's: it is compared byte by byte.
SYSTEM = "('mysql', 'sys', 'performance_schema', 'information_schema')"


class Table(NamedTuple):
    schema: str
    name: str
    # Whether a snapshot covers it: only then its rows at the moment of a dump are known.
    safe: bool
    bytes: int
    # Whether it keeps its history.
    versioned: bool

    @property
    def full(self):
        return named(self.schema, self.name)


def text(hexadecimal):
    return bytes.fromhex(hexadecimal).decode()


def quoted(*names):
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


def named(schema, name):
    """For records and people. Two tables have two names: a dot or a quote within a name is told apart."""
    return quoted(schema, name) if re.search(r"[.`]", schema + name) else f"{schema}.{name}"


def tables_of(asked):
    """The tables, without views and the system's schemas."""
    rows = asked.ask(
        "SELECT HEX(table_schema), HEX(table_name), engine <=> 'InnoDB', IFNULL(data_length + index_length, 0), table_type = 'SYSTEM VERSIONED' "
        f"FROM information_schema.tables WHERE BINARY table_schema NOT IN {SYSTEM} AND table_type NOT LIKE '%VIEW' ORDER BY 1, 2",
        60,
    )
    return [Table(text(schema), text(name), safe == "1", int(float(size)), old == "1") for schema, name, safe, size, old in rows]


def schemas_of(asked):
    return [text(row[0]) for row in asked.ask(f"SELECT HEX(schema_name) FROM information_schema.schemata WHERE BINARY schema_name NOT IN {SYSTEM}")]


def others_of(asked):
    """The numbers of views, routines, triggers and events, and the names of the accounts."""
    places = {"views": "table_schema", "routines": "routine_schema", "triggers": "trigger_schema", "events": "event_schema"}
    counts = {
        kind: int(asked.ask(f"SELECT COUNT(*) FROM information_schema.{kind} WHERE BINARY {place} NOT IN {SYSTEM}", 60)[0][0])
        for kind, place in places.items()
    }
    accounts = [f"{text(user)}@{text(host)}" for user, host in asked.ask("SELECT HEX(user), HEX(host) FROM mysql.user ORDER BY 1, 2")]
    return counts, accounts


def by_transaction(asked):
    """Tables whose history is kept by the ids of transactions: no dump has what those ids mean."""
    rows = asked.ask(
        "SELECT HEX(table_schema), HEX(table_name) FROM information_schema.columns "
        f"WHERE BINARY table_schema NOT IN {SYSTEM} AND generation_expression = 'ROW START' AND data_type = 'bigint'",
        60,
    )
    return [named(text(schema), text(name)) for schema, name in rows]


def with_floats(asked):
    """Tables with FLOAT columns, of which a dump prints six digits."""
    rows = asked.ask(
        "SELECT DISTINCT HEX(table_schema), HEX(table_name) FROM information_schema.columns "
        f"WHERE BINARY table_schema NOT IN {SYSTEM} AND data_type = 'float'",
        60,
    )
    return {(text(schema), text(name)) for schema, name in rows}


def count(asked, tables, seconds):
    """{table: rows} as the session sees them, with those of the history."""
    return {
        table.full: int(
            asked.ask(f"SELECT COUNT(*) FROM {quoted(table.schema, table.name)}{' FOR SYSTEM_TIME ALL' if table.versioned else ''}", seconds)[0][0]
        )
        for table in tables
    }


def checksums(asked, tables, seconds):
    """{table: checksum of its rows as they are stored}: a dump, which is text, may not have all that they are."""
    floats = with_floats(asked)
    return {
        table.full: asked.ask(f"CHECKSUM TABLE {quoted(table.schema, table.name)} EXTENDED", seconds)[0][-1]
        for table in tables
        if (table.schema, table.name) not in floats
    }

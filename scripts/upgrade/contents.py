"""Queries for what a database contains, through an open session."""

SYSTEM = "('mysql', 'sys', 'performance_schema', 'information_schema')"


def text(hexadecimal):
    return bytes.fromhex(hexadecimal).decode()


def quoted(*names):
    return ".".join("`" + name.replace("`", "``") + "`" for name in names)


def tables_of(asked):
    """[(schema, table, whether snapshots cover it, bytes)], without views and the system's schemas."""
    rows = asked.ask(
        "SELECT HEX(table_schema), HEX(table_name), engine <=> 'InnoDB', IFNULL(data_length + index_length, 0) "
        f"FROM information_schema.tables WHERE table_schema NOT IN {SYSTEM} AND table_type NOT LIKE '%VIEW' ORDER BY 1, 2",
        60,
    )
    return [(text(schema), text(table), safe == "1", int(float(size))) for schema, table, safe, size in rows]


def schemas_of(asked):
    return [text(row[0]) for row in asked.ask(f"SELECT HEX(schema_name) FROM information_schema.schemata WHERE schema_name NOT IN {SYSTEM}")]


def others_of(asked):
    """The numbers of views, routines, triggers and events, and the names of the accounts."""
    places = {"views": "table_schema", "routines": "routine_schema", "triggers": "trigger_schema", "events": "event_schema"}
    counts = {
        kind: int(asked.ask(f"SELECT COUNT(*) FROM information_schema.{kind} WHERE {place} NOT IN {SYSTEM}", 60)[0][0])
        for kind, place in places.items()
    }
    accounts = [f"{text(user)}@{text(host)}" for user, host in asked.ask("SELECT HEX(user), HEX(host) FROM mysql.user ORDER BY 1, 2")]
    return counts, accounts


def count(asked, tables, seconds):
    """{schema.table: rows} as the session sees them."""
    return {
        f"{schema}.{table}": int(asked.ask(f"SELECT COUNT(*) FROM {quoted(schema, table)}", seconds)[0][0]) for schema, table in tables
    }

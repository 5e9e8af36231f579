"""The database of all hosts, and how far its schema is."""

import os
import re

import pymysql
from pymysql.cursors import DictCursor

from scalr import settings
from scalr.settings import Wrong

MIGRATIONS = f"{settings.EMBEDDED}/migrations"
LIMITS = {"connect_timeout": 3, "read_timeout": 10, "write_timeout": 10, "autocommit": True}


def connect(told, **more):
    """As a service does: over the network, limited to the schema."""
    return pymysql.connect(
        host=told["main"],
        port=int(told["mysql_port"]),
        user="scalr",
        password=told["secret"],
        database="scalr",
        cursorclass=DictCursor,
        **{**LIMITS, **more},
    )


def rows(connection, statement, words=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, words)
        return list(cursor.fetchall())


def run(connection, statement, words=()):
    """How many rows it has changed."""
    with connection.cursor() as cursor:
        return cursor.execute(statement, words)


def numbers(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def known():
    """The migrations that this package brings, oldest first."""
    names = [name[: -len(".sql")] for name in os.listdir(MIGRATIONS) if name.endswith(".sql")]
    return sorted(names, key=numbers)


def found(connection):
    """{version: whether it was finished} of the migrations that the database has seen."""
    return {
        row["version"]: row["finished"] is not None
        for row in rows(connection, "SELECT version, finished FROM migrations")
    }


def newer(seen):
    """What the database has seen and this package does not know."""
    return [
        f"{version}{'' if finished else ' (begun, not finished)'}"
        for version, finished in sorted(seen.items(), key=lambda item: numbers(item[0]))
        if version not in known()
    ]


def refuse_newer(seen):
    if newer(seen):
        raise Wrong(
            f"the schema of the database is newer than this package: it has seen {', '.join(newer(seen))}, and"
            f" scalr-server {settings.version()} knows {known()[-1]}; install the newer package, or put the database"
            f" back from a backup of {known()[-1]}"
        )


def require_schema(connection):
    """The schema is the one that this package works with."""
    seen = found(connection)
    refuse_newer(seen)
    lacking = [version for version in known() if not seen.get(version)]
    if lacking:
        raise Wrong(
            f"the schema of the database lacks {', '.join(lacking)}:"
            " run scalr-server-ctl reconfigure on the main database host first"
        )


def statements(version):
    with open(f"{MIGRATIONS}/{version}.sql", encoding="utf8") as file:
        return [part.strip().rstrip(";") for part in re.split(r";\n\s*(?:\n|$)", file.read()) if part.strip()]


def migrate(connection, say):
    """Bring the schema up to this package's."""
    run(connection, "CREATE DATABASE IF NOT EXISTS scalr CHARACTER SET utf8mb4")
    connection.select_db("scalr")
    run(
        connection,
        "CREATE TABLE IF NOT EXISTS migrations (version varchar(20) PRIMARY KEY, begun datetime(3) NOT NULL,"
        " finished datetime(3) NULL, package varchar(20) NOT NULL)",
    )
    seen = found(connection)
    refuse_newer(seen)
    # Who still reads a table must not make the others wait for hours behind this.
    run(connection, "SET SESSION lock_wait_timeout = 30")
    for version in [version for version in known() if not seen.get(version)]:
        parts = statements(version)
        say(f"schema: {version}, {len(parts)} statements")
        run(
            connection,
            "INSERT INTO migrations VALUES (%s, now(3), NULL, %s)"
            " ON DUPLICATE KEY UPDATE begun = now(3), package = VALUES(package)",
            (version, settings.version()),
        )
        for number, part in enumerate(parts, 1):
            try:
                run(connection, part.replace("%", "%%"))
            except pymysql.MySQLError as error:
                code, text = error.args
                raise Wrong(f"schema {version}: statement {number} of {len(parts)} failed: {text} ({code})") from None
        run(connection, "UPDATE migrations SET finished = now(3) WHERE version = %s", (version,))
    return known()[-1]

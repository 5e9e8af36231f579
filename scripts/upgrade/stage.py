"""The stage on which a dump is read: what the server allows and has, and what the account may do. A trial has the same."""

import re

# Settings that decide whether a dump can be read, and what becomes of it. A scratch server takes those that production has.
SETTINGS = (
    *("character_set_server", "collation_server", "default_storage_engine", "disabled_storage_engines", "enforce_storage_engine"),
    *("explicit_defaults_for_timestamp", "innodb_compression_algorithm", "innodb_default_row_format", "innodb_file_format"),
    *("innodb_file_per_table", "innodb_large_prefix", "innodb_page_size", "innodb_read_only_compressed", "innodb_strict_mode"),
    *("lower_case_table_names", "max_heap_table_size", "max_statement_time", "old_mode", "secure_timestamp", "sql_mode"),
    *("sql_require_primary_key", "system_versioning_alter_history"),
)
# Of plugins these are no part of a stage: they listen, watch, or check logins.
ASIDE = "('AUDIT', 'DAEMON', 'REPLICATION', 'PASSWORD VALIDATION', 'INFORMATION SCHEMA', 'AUTHENTICATION')"
GRANT = re.compile(r"GRANT (.+?) ON \*\.\* TO .+")
OPTION = " WITH GRANT OPTION"

# What every session of ours sets for itself, where the server knows it: no answer depends on a limit for the application.
OWN = {
    **{"autocommit": "ON", "completion_type": "NO_CHAIN", "sql_select_limit": "18446744073709551615", "sql_mode": ""},
    **{"max_statement_time": "0", "max_execution_time": "0", "wait_timeout": "86400", "net_read_timeout": "3600", "net_write_timeout": "3600"},
    **{"idle_transaction_timeout": "0", "idle_readonly_transaction_timeout": "0", "idle_write_transaction_timeout": "0"},
    **{"tx_read_only": "OFF", "transaction_read_only": "OFF"},
}
# And the session that reads a dump: what the server has let in once, it takes again.
READING = {
    **{"foreign_key_checks": "OFF", "unique_checks": "OFF", "check_constraint_checks": "OFF", "innodb_strict_mode": "OFF"},
    **{"enforce_storage_engine": "", "explicit_defaults_for_timestamp": "ON", "max_heap_table_size": str(1 << 34), "lock_wait_timeout": "60"},
    **{"system_versioning_alter_history": "KEEP"},
}


def variables(asked, names, scope="GLOBAL"):
    """{name: value} of those of the names that the server has."""
    listed = ", ".join(f"'{name}'" for name in names)
    return {row[0]: row[1] if len(row) > 1 else "" for row in asked.ask(f"SHOW {scope} VARIABLES WHERE variable_name IN ({listed})")}


def literal(value):
    return value if re.fullmatch(r"\d+(\.\d+)?|ON|OFF|DEFAULT", value) else "'" + value.replace("'", "''") + "'"


def take_over(asked, wanted, scope="SESSION"):
    """Set variables that have another value; returns their values from before."""
    found = variables(asked, wanted, scope)
    changed = {name: value for name, value in found.items() if value.upper() != wanted[name].upper()}
    for name in changed:
        asked.ask(f"SET {scope} {name} = {literal(wanted[name]) if wanted[name] or name != 'enforce_storage_engine' else 'NULL'}")
    return changed


def version_of(text):
    """A server's version without what its logs add to it."""
    return re.match(r"[\d.]*(-MariaDB)?", text)[0]


def stage_of(asked):
    """The stage of a server, and of the account of this session."""
    grants = ((GRANT.fullmatch(row[0]), OPTION if row[0].endswith(OPTION) else "") for row in asked.ask("SHOW GRANTS"))
    return {
        "version": asked.ask("SELECT @@version")[0][0],
        **variables(asked, SETTINGS),
        "plugins": {
            name: library
            for name, library in asked.ask(
                "SELECT plugin_name, plugin_library FROM information_schema.plugins "
                f"WHERE plugin_library IS NOT NULL AND plugin_status = 'ACTIVE' AND plugin_type NOT IN {ASIDE} ORDER BY 1"
            )
        },
        "grants": sorted({grant[1] + option for grant, option in grants if grant}),
    }

"""The database of Crossbow, asked in threads so that a slow answer holds nobody else up."""

import asyncio
import concurrent.futures
import contextlib
import queue

LIMIT_S = 3


class Database:
    def __init__(self, settings):
        # The rest of the application runs without it.
        import psycopg2

        self.psycopg2 = psycopg2
        self.where = {
            "host": settings["DATABASE_HOST"],
            "port": settings.get("DATABASE_PORT", "5432"),
            "dbname": settings["DATABASE_NAME"],
            "user": settings["DATABASE_USER"],
            "password": settings.get("DATABASE_PASSWORD", ""),
        }
        self.idle = queue.LifoQueue()
        self.threads = concurrent.futures.ThreadPoolExecutor(4, "database")

    def connect(self):
        limits = {"connect_timeout": LIMIT_S, "options": f"-c statement_timeout={LIMIT_S}s"}
        made = self.psycopg2.connect(**self.where, **limits)
        made.autocommit = True
        return made

    def usable(self):
        """A connection that answers: one that was lost meanwhile is thrown away, before anything is asked of it."""
        with contextlib.suppress(queue.Empty):
            while True:
                kept = self.idle.get_nowait()
                try:
                    with kept.cursor() as cursor:
                        cursor.execute("select 1")
                    return kept
                except self.psycopg2.Error:
                    kept.close()
        return self.connect()

    def facts(self):
        connection = self.usable()
        try:
            with connection.cursor() as cursor:
                cursor.execute("select current_database(), host(inet_server_addr()), pg_is_in_recovery()")
                name, server, follows = cursor.fetchone()
        except BaseException:
            connection.close()
            raise
        self.idle.put(connection)
        return {"database": name, "server": server, "role": "standby" if follows else "primary"}

    async def ask(self):
        """What the server says of itself. Raises OSError with the reason when it says nothing."""
        asked = asyncio.get_running_loop().run_in_executor(self.threads, self.facts)
        try:
            return await asyncio.wait_for(asked, 2 * LIMIT_S)
        except self.psycopg2.Error as error:
            raise OSError(" ".join(str(error).split())) from None
        except TimeoutError:
            raise OSError(f"no answer within {2 * LIMIT_S} s") from None

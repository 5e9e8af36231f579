"""Crossbow: pages with a session, styles of a shared folder, a database, and whether it is ready.

Settings come from the environment: ADDRESS, PORT; CACHE, a file with a node `host:port` a line;
DATABASE_HOST, _PORT, _NAME, _USER, _PASSWORD; STYLES_MARKER, a file in the styles that proves that
the shared folder is there.
"""

import asyncio
import concurrent.futures
import html
import json
import os
import re
import secrets
import socket
import time

from .cache import Cache
from .database import Database
from .http import Answer, Server

RELEASE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
STYLES = f"{RELEASE}/public/styles"
WARM_UP_S = 0.3
LOOK_S = 0.5
FILE_S = 2
SLOWEST_S = 60
KINDS = {".css": "text/css", ".js": "text/javascript", ".txt": "text/plain", ".html": "text/html"}
PAGE = """<!doctype html>
<html lang="en">
<title>Crossbow</title>
<link rel="stylesheet" href="/styles/site.css">
<h1>Crossbow</h1>
<p>Revision {revision} on {server}. You were here {count} times.</p>
"""


def text_of(path):
    with open(path, "rb") as file:
        return file.read()


class App:
    def __init__(self, settings):
        self.settings = settings
        self.server = Server(self.answer)
        self.name = socket.gethostname()
        self.revision = text_of(f"{RELEASE}/REVISION").decode().strip()
        self.cache = Cache(settings["CACHE"]) if settings.get("CACHE") else None
        self.database = Database(settings) if settings.get("DATABASE_HOST") else None
        # A shared folder that hangs holds up its own threads and nobody else.
        self.files = concurrent.futures.ThreadPoolExecutor(8, "files")
        self.started = time.monotonic()
        self.wrong = {"styles": "not looked at yet"}
        self.was_ready = False
        self.pages = {"/": self.front, "/slow": self.slow, "/db": self.db, "/ready": self.ready}

    async def run(self):
        looking = asyncio.create_task(self.keep_looking())
        await self.server.run(self.settings.get("ADDRESS", "127.0.0.1"), int(self.settings.get("PORT", "8080")))
        looking.cancel()

    async def answer(self, request):
        if request.method not in ("GET", "HEAD"):
            made = Answer(405, "GET only\n", "text/plain", Allow="GET, HEAD")
        elif request.path.startswith("/styles/"):
            made = await self.style(request)
        else:
            made = await self.pages.get(request.path, self.unknown)(request)
        made.headers.update(X_Revision=self.revision, X_Server=self.name)
        return made

    async def front(self, request):
        session = request.cookie("crossbow") or ""
        known = re.fullmatch("[0-9a-f]{32}", session) is not None
        session = session if known else secrets.token_hex(16)
        count = await self.cache.count(session, known) if self.cache else 1
        page = PAGE.format(revision=html.escape(self.revision), server=html.escape(self.name), count=count)
        cookie = {} if known else {"Set_Cookie": f"crossbow={session}; Path=/; HttpOnly; SameSite=Lax"}
        counted = {"X_Session": count} if self.cache else {}
        return Answer(200, page, **cookie, **counted)

    async def slow(self, request):
        try:
            seconds = min(float(request.query.get("s", "2")), SLOWEST_S)
        except ValueError:
            return Answer(400, "s is a number of seconds\n", "text/plain")
        await asyncio.sleep(seconds)
        return Answer(200, f"slept {seconds:g} s\n", "text/plain")

    async def db(self, _request):
        if self.database is None:
            return Answer(404, "no database is configured\n", "text/plain")
        try:
            return Answer(200, json.dumps(await self.database.ask()) + "\n", "application/json")
        except OSError as error:
            return Answer(503, f"{error}\n", "text/plain")

    async def style(self, request):
        name = request.path.removeprefix("/styles/")
        if not re.fullmatch(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", name):
            return await self.unknown(request)
        try:
            body = await self.in_thread(text_of, f"{STYLES}/{name}")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return await self.unknown(request)
        except OSError as error:
            return Answer(503, f"the styles can't be read: {error}\n", "text/plain")
        return Answer(200, body, KINDS.get(os.path.splitext(name)[1], "application/octet-stream"))

    async def unknown(self, _request):
        return Answer(404, "there is no such page\n", "text/plain")

    async def ready(self, _request):
        reason = self.not_ready()
        facts = {
            "ready": reason is None,
            "reason": reason,
            "revision": self.revision,
            "server": self.name,
            "requests": self.server.in_flight - 1,
            **{name: wrong or "ok" for name, wrong in self.wrong.items()},
            "sessions": self.cache.facts() if self.cache else None,
        }
        return Answer(200 if reason is None else 503, json.dumps(facts) + "\n", "application/json")

    def not_ready(self):
        """Why this server should have no traffic. Styles are its own affair at any time. Database and cache are shared:
        without them it does not begin, but when they fail later no server is better off than another."""
        if self.server.ending:
            return "it is ending"
        if time.monotonic() - self.started < WARM_UP_S:
            return "it is warming up"
        for name in ("styles",) if self.was_ready else tuple(self.wrong):
            if self.wrong[name]:
                return f"{name}: {self.wrong[name]}"
        self.was_ready = True
        return None

    async def keep_looking(self):
        """Readiness is answered from what was seen last: a check by the balancer never waits."""
        while True:
            await asyncio.gather(self.look_at_styles(), self.look_at_database(), self.look_at_cache())
            await asyncio.sleep(LOOK_S)

    async def look_at_styles(self):
        marker = self.settings.get("STYLES_MARKER", "")
        try:
            await self.in_thread(text_of if marker else os.listdir, f"{STYLES}/{marker}")
            self.wrong["styles"] = None
        except OSError as error:
            self.wrong["styles"] = f"{STYLES}/{marker}: {error.strerror or error}"

    async def look_at_database(self):
        if self.database is not None:
            try:
                await self.database.ask()
                self.wrong["database"] = None
            except OSError as error:
                self.wrong["database"] = str(error)

    async def look_at_cache(self):
        if self.cache is not None:
            self.wrong["cache"] = await self.cache.look()

    async def in_thread(self, read, path):
        """Raises OSError when it takes too long."""
        try:
            return await asyncio.wait_for(asyncio.get_running_loop().run_in_executor(self.files, read, path), FILE_S)
        except TimeoutError:
            raise OSError(f"no answer within {FILE_S} s") from None


def main(make=App):
    asyncio.run(make(os.environ).run())
    # Threads that hang in a file or in the database hold up no end.
    os._exit(0)

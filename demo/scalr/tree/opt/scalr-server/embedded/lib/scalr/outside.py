"""What is outside: interfaces of clouds and of a configuration tool, each with a key of its own, which is in no error."""

import http.client
import json
import time
import urllib.parse

from scalr import database
from scalr.settings import Wrong, clouds

LIMIT = 4
BOOT_S = 20


class Unreached(Wrong):
    """There is no connection: nothing was asked for."""


class Refused(Wrong):
    """It has said no: nothing was done."""


class Missing(Refused):
    """It says that there is no such thing."""


class Api:
    def __init__(self, what, url, key):
        self.what, self.key = what, key
        self.address = urllib.parse.urlsplit(url).netloc

    def call(self, method, path, said=None):
        connection = http.client.HTTPConnection(self.address, timeout=LIMIT)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise Unreached(f"{self.what} at {self.address} is not reached: {error}") from None
            try:
                body = None if said is None else json.dumps(said)
                connection.request(method, path, body, {"Authorization": f"Bearer {self.key}"} if self.key else {})
                answer = connection.getresponse()
                status, text = answer.status, json.loads(answer.read())
            except TimeoutError:
                raise Wrong(f"{self.what} at {self.address} does not answer {method} {path} within {LIMIT} s") from None
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise Wrong(f"{self.what} at {self.address}: {method} {path}: {error or type(error).__name__}") from None
        finally:
            connection.close()
        if status != 200:
            why = text.get("error", status) if isinstance(text, dict) else status
            raise (Missing if status == 404 else Refused)(f"{self.what} refuses {method} {path}: {why}")
        return text

    def remove(self, path):
        try:
            self.call("DELETE", path)
        except Missing:
            pass


def instance(name):
    return f"/instances/{urllib.parse.quote(name, safe='')}"


class Cloud(Api):
    def launch(self, name, kind, image):
        return self.call("PUT", instance(name), {"type": kind, "image": image})

    def running(self, name):
        """The instance, when it runs."""
        deadline = time.monotonic() + BOOT_S
        while (found := self.call("GET", instance(name)))["state"] != "running":
            if time.monotonic() > deadline:
                raise Wrong(f"{self.what}: instance {name} is {found['state']}, not running after {BOOT_S} s")
            time.sleep(0.3)
        return found

    def terminate(self, name):
        self.remove(instance(name))


def cloud(db, told, name):
    """That cloud with the credential of the database; None when no address of it is known."""
    found = database.rows(db, "SELECT credential FROM clouds WHERE name = %s", (name,))
    if not found:
        raise Wrong(f"there is no cloud {name}")
    url = clouds(told).get(name)
    return Cloud(f"cloud {name}", url, found[0]["credential"]) if url else None

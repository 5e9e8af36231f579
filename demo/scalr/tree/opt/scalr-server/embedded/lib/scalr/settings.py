"""Where things are on a host, and what its operator has written."""

import json
import os
import re

HOME = "/opt/scalr-server"
CONFIG = "/etc/scalr-server"
EMBEDDED = f"{HOME}/embedded"
BIN = f"{EMBEDDED}/bin"
ETC = f"{HOME}/etc"
VAR = f"{HOME}/var"
DATA = f"{VAR}/lib/mysql"
SOCKET = f"{VAR}/run/mysql.sock"
BACKUP = f"{CONFIG}/backup.cnf"
SUPERVISOR = f"{ETC}/supervisord.conf"
SERVICES = f"{ETC}/services.json"
NEEDED = ("role", "main", "secret")


class Wrong(Exception):
    """Something that a person must put right; its text is all that they are told."""


def version():
    with open(f"{HOME}/VERSION", encoding="utf8") as file:
        return file.read().strip()


def roles():
    with open(f"{EMBEDDED}/roles.json", encoding="utf8") as file:
        return json.load(file)


def pairs(path):
    with open(path, encoding="utf8") as file:
        lines = [line.strip() for line in file]
    return {
        name.strip(): value.strip()
        for name, equals, value in (line.partition("=") for line in lines if not line.startswith("#"))
        if equals
    }


def clouds(told):
    """{name: address} of the clouds that are asked; farms of any other are lines in the database."""
    return dict(word.split("=", 1) for word in told.get("clouds", "").split())


def check_outside(path, told):
    words = [word.partition("=")[2] for word in told.get("clouds", "").split()]
    wrong = [url for url in (*words, *filter(None, [told.get("tool")])) if not re.fullmatch(r"http://[\w.-]+(:\d+)?", url)]
    if wrong:
        raise Wrong(f"{path}: {wrong[0] or 'nothing'} is no address: clouds=NAME=http://HOST:PORT…, tool=http://HOST:PORT")


def read():
    """The operator's settings over the package's own."""
    path = f"{CONFIG}/scalr-server.conf"
    try:
        told = {**pairs(f"{CONFIG}/defaults.conf"), **pairs(path)}
    except OSError as error:
        raise Wrong(f"{error.filename}: {error.strerror}") from None
    missing = [name for name in NEEDED if not told.get(name)]
    if missing:
        raise Wrong(f"{path} lacks {', '.join(missing)}")
    if told["role"] not in roles():
        raise Wrong(f"{path}: there is no role {told['role']}, there are {', '.join(sorted(roles()))}")
    check_outside(path, told)
    if "scalr-nginx" in roles()[told["role"]] and not told.setdefault(
        "apps", told["main"] if told["role"] == "all" else ""
    ):
        raise Wrong(f"{path}: role {told['role']} needs apps=ADDRESS ADDRESS…, the hosts of role app")
    return told


def compiled():
    """What the last reconfigure has made of them for the services."""
    with open(SERVICES, encoding="utf8") as file:
        return json.load(file)


def write(path, text, mode=0o644, group=0):
    """Write a file whole. Says whether it was not so before."""
    try:
        with open(path, encoding="utf8") as file:
            if file.read() == text:
                return False
    except FileNotFoundError:
        pass
    part = f"{path}.part"
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf8") as file:
        file.write(text)
        os.fchown(file.fileno(), 0, group)
        os.fchmod(file.fileno(), mode)
    os.rename(part, path)
    return True

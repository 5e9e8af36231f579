#!/usr/bin/env python3
"""Describe this machine as a server of a pool: one line of JSON on stdout. Read-only.

Usage: probe.py COMPONENT POOL [NAME=HOST:PORT…]

Also tries to connect to each HOST:PORT, and to log in to the database of the application's settings.
"""

import concurrent.futures
import http.client
import ipaddress
import json
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.dont_write_bytecode = True

from records import ROOT, names_in, pairs_of, records_of  # noqa: E402

LIMIT_S = 2


def reaches(place):
    """Why HOST:PORT can't be reached; None: it accepts connections."""
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), LIMIT_S).close()
        return None
    except (OSError, ValueError) as error:
        return f"{place}: {error}"


def readiness(conf):
    """Whether the application answers that it is ready, and its answer."""
    if not conf:
        return False, None
    connection = http.client.HTTPConnection(conf["ADDRESS"], int(conf["PORT"]), timeout=LIMIT_S)
    try:
        # By the site's name, as HAProxy's check asks: an application may let in its own name only.
        connection.request("GET", conf["READY"], headers={"Host": conf["HOST"]} if conf.get("HOST") else {})
        answer = connection.getresponse()
        body = " ".join(answer.read(2000).decode(errors="replace").split())
        # What an application answers is shown on terminals.
        return answer.status == int(conf["STATUS"]), "".join(character if character.isprintable() else "?" for character in body)
    except (OSError, http.client.HTTPException) as error:
        return False, str(error) or type(error).__name__
    finally:
        connection.close()


def environment(pool):
    """The settings of the application, as systemd reads them."""
    pairs = pairs_of(f"/etc/{pool}/environment") or {}
    return {key: re.sub(r"\\(.)", r"\1", value.strip('"')) for key, value in pairs.items()}


def database(settings):
    """Why the application can't log in to its database; None: it can, or it has no database."""
    if not settings.get("DATABASE_HOST"):
        return None
    try:
        import psycopg2
    except ImportError:
        return "python3-psycopg2 is missing"
    parts = {"host": "HOST", "port": "PORT", "dbname": "NAME", "user": "USER", "password": "PASSWORD"}
    where = {key: settings[f"DATABASE_{name}"] for key, name in parts.items() if f"DATABASE_{name}" in settings}
    try:
        psycopg2.connect(**where, connect_timeout=LIMIT_S).close()
        return None
    except psycopg2.Error as error:
        return " ".join(str(error).split())


def number_of(user):
    try:
        return pwd.getpwnam(user).pw_uid
    except KeyError:
        return None


def process(pool):
    """Revision and settings of the running process; None, {} without a process."""
    shown = subprocess.run(["systemctl", "show", "-P", "MainPID", f"{pool}.service"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    try:
        pid = int(shown.stdout)
        with open(f"/proc/{pid}/environ", "rb") as file:
            settings = dict(item.split("=", 1) for item in file.read().decode(errors="replace").split("\0") if "=" in item)
        return os.path.basename(os.readlink(f"/proc/{pid}/cwd")), settings
    except (OSError, ValueError):
        return None, {}


def wrong_links(pool, conf, revision):
    """Links of the current release that do not lead to their shared folder."""
    wrong = []
    for pair in conf.get("LINKS", "").split() if revision else []:
        place, _, target = pair.partition("=")
        link, shared = f"/deploy/{pool}/releases/{revision}/{place}", f"/deploy/{pool}/shared/{target}"
        if not os.path.islink(link) or os.readlink(link) != shared:
            wrong.append(f"{link} does not lead to {shared}")
        elif not os.path.isdir(shared):
            wrong.append(f"{shared} is missing")
    return wrong


def staged(pool):
    names = [name for name in names_in(f"{ROOT}/{pool}/staged") if not name.endswith(".files")]
    whole = [name for name in names if os.path.isfile(f"/deploy/{pool}/releases/{name}/REVISION")]
    return {name: (pairs_of(f"{ROOT}/{pool}/staged/{name}") or {}).get("sha256") for name in whole}


def public_addresses():
    """Addresses that let internet clients bypass the balancers."""
    shown = subprocess.run(["ip", "-j", "address"], capture_output=True, text=True, timeout=LIMIT_S, check=False).stdout
    addresses = [info["local"] for link in json.loads(shown or "[]") for info in link["addr_info"]]
    return [address for address in addresses if ipaddress.ip_address(address).is_global]


def free_mib(path):
    while not os.path.exists(path):
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free >> 20


def rules_of(text):
    """Networks that a table accepts, and ports that it rejects."""
    return {str(ipaddress.ip_network(word)) for word in re.findall(r"ip saddr (\S+) accept", text)}, set(re.findall(r"tcp dport (\d+).* reject", text))


def unguarded(pool):
    """Why the application's port is not guarded by the rules of this machine; None: it is, or no rules were made yet."""
    files = [f"{ROOT}/{pool}/{name}.nft" for name in ("firewall", "access")]
    file = next((path for path in files if os.path.exists(path)), None)
    if not file:
        return None
    with open(file, encoding="utf8") as opened:
        wanted = opened.read()
    shown = subprocess.run(["nft", "list", "table", "inet", f"changeover_{pool}"], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    if rules_of(shown.stdout) == rules_of(wanted):
        return None
    return f"the firewall rules of the application's port are not loaded as {file} has them; load them: nft -f {file}"


def facts(component, pool, places):
    conf, settings = pairs_of(f"/etc/{pool}/{pool}.conf") or {}, environment(pool)
    link = f"/deploy/{pool}/current"
    current = os.path.basename(os.readlink(link)) if os.path.islink(link) else None
    archives = staged(pool)
    runs, process_settings = process(pool)
    user = conf.get("OWNER", "")
    links = wrong_links(pool, conf, current)
    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        reach = {name: threads.submit(reaches, place) for name, place in places.items()}
        login = threads.submit(database, settings)
        ready, answer = readiness(conf)
    return {
        **records_of(component),
        "configured": bool(conf),
        "user": user if number_of(user) == int(conf.get("OWNER_UID", -1)) else None,
        "current": current,
        "runs": runs,
        "runs_configured": runs is not None and process_settings.get("CONFIGURED") == settings.get("CONFIGURED"),
        "staged": sorted(archives),
        "archives": archives,
        "before": (pairs_of(f"{ROOT}/{component}/before") or {}),
        "ready": ready,
        "answer": answer,
        "public": public_addresses(),
        "firewall": unguarded(pool),
        "free_mib": free_mib(f"/deploy/{pool}"),
        "links_ok": not links,
        "links_wrong": links,
        "maintenance": os.path.exists(f"{ROOT}/{pool}/firewall.nft"),
        "database": login.result(),
        "reach": {name: attempt.result() for name, attempt in reach.items()},
    }


def main():
    words = sys.argv[1:]
    if len(words) < 2 or words[0].startswith("-") or not all("=" in word for word in words[2:]):
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    print(json.dumps(facts(words[0], words[1], dict(word.split("=", 1) for word in words[2:]))))


main()

#!/usr/bin/env python3
"""Lay out three nodes of a search cluster on loopback, 127.0.0.2 to 127.0.0.4: facts, plans, claims. Starts nothing.

Usage: search_rig.py FOLDER HOME     HOME: the unpacked distribution
"""

import json
import os
import re
import shutil
import sys

FOLDER, HOME = sys.argv[1:]
SEEDS = json.dumps([f"127.0.0.{number + 1}:19300" for number in (1, 2, 3)])
NAMES = ("es1", "es2", "es3")
FORM = f"cluster.initial_cluster_manager_nodes: {json.dumps(NAMES)}"
PLANS = {"0" * 12: FORM, "a" * 12: "", "b" * 12: "indices.no.such: 1"}


def zone(number):
    return "spot" if number == 3 else "safe"


def options():
    """Options of the distribution, without those that write into its folder."""
    with open(f"{HOME}/config/jvm.options", encoding="utf8") as file:
        lines = [line for line in file if not re.match(r"9-:-Xlog|-Xm[sx]|-XX:(HeapDumpPath|ErrorFile)", line)]
    return "".join(lines) + "\n-Xms192m\n-Xmx192m\n-XX:TieredStopAtLevel=1\n"


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf8") as file:
        file.write(text)


for number in (1, 2, 3):
    host = f"{FOLDER}/es{number}"
    own = f"{host}/own"
    for mark, line in PLANS.items():
        plan = f"{host}/logs/plans/{mark}"
        write(f"{plan}/jvm.options", options())
        shutil.copy(f"{HOME}/config/log4j2.properties", plan)
        write(
            f"{plan}/opensearch.yml",
            f"cluster.name: logs\nnode.name: es{number}\nnode.attr.zone: {zone(number)}\nnode.store.allow_mmap: false\n"
            f"network.host: 127.0.0.{number + 1}\nhttp.port: 19200\ntransport.port: 19300\ndiscovery.seed_hosts: {SEEDS}\n"
            f"path.data: {own}/data\npath.logs: {own}/logs\n{line}\n",
        )
        # The engine makes its keystore beside its file.
        os.chown(plan, 65534, 65534)
    os.symlink(f"plans/{'0' * 12}", f"{host}/logs/current")
    os.symlink(f"plans/{'a' * 12}", f"{host}/logs/next")
    nodes = {
        f"es{other}": {"address": f"127.0.0.{other + 1}", "zone": zone(other), "roles": ["data", "manager"], "is": "in"}
        for other in (1, 2, 3)
    }
    facts = {"cluster": "logs", "engine": "opensearch", "version": "2.19.5", "node": f"es{number}", "port": 19200}
    facts |= {"coordinator": None, "attribute": "zone", "spot_zones": ["spot"], "single_manager": False, "accept": [], "nodes": nodes}
    write(f"{host}/logs.json", json.dumps(facts | {"data": f"{own}/data", "owner_uid": 65534, "seconds": {"cover": 60, "join": 60}}))
    write(f"{host}/root/logs/claim", "id=run1\n")

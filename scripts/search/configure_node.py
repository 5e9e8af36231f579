#!/usr/bin/env python3
"""Write what this host's node is told: facts, rules, and a plan, which is a whole configuration of the engine.

Usage: configure_node.py CLUSTER FOLDER KEY=VALUE…    (FOLDER is root's, and empty)

Keys: node address version sha256 engine port transport_port coordinator attribute awareness spot_zones owner owner_uid data logs repo
heap_mib coordinator_heap_mib single_manager accept clients stop_seconds start_seconds cover_seconds slow_seconds, nodes
(NAME:ADDRESS:ZONE:ROLES:STATE,…; roles with + between, or none), and set.SETTING for a line of the engine's file.
Prints the mark of the plan. Ends with 64, or with 77 for a setting that the program keeps to itself.
"""

import hashlib
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from cluster import DIALECTS, end  # noqa: E402

NAME, ZONE = r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?", r"[a-z0-9][a-z0-9_-]{0,30}"
ADDRESS = r"\d{1,3}(\.\d{1,3}){3}"
FOLDER = r"(/(?!\.{1,2}(/|$))[\w.@+-]+)+"
# Pattern of each key; a key without a default must be told.
KEYS = {
    "node": (NAME, None),
    "address": (ADDRESS, None),
    "version": (r"\d{1,3}(\.\d{1,3}){2}", None),
    "sha256": (r"[0-9a-f]{64}", None),
    "engine": (r"opensearch|elasticsearch", None),
    "port": (r"\d{1,5}", "9200"),
    "transport_port": (r"\d{1,5}", "9300"),
    "coordinator": (rf"({NAME})?", ""),
    "attribute": (r"[a-z][a-z0-9_]{0,30}", "zone"),
    "awareness": (r"yes|no", "yes"),
    "spot_zones": (rf"({ZONE}(,{ZONE})*)?", ""),
    "owner": (r"[a-z_][a-z0-9_-]{0,31}", "search"),
    "owner_uid": (r"\d{1,5}", "9200"),
    "data": (FOLDER, None),
    "logs": (FOLDER, None),
    "repo": (rf"({FOLDER})?", ""),
    "heap_mib": (r"\d{1,6}", "1024"),
    "coordinator_heap_mib": (r"\d{1,6}", "512"),
    "single_manager": (r"yes|no", "no"),
    "accept": (r"([a-z0-9.][a-z0-9._-]*(,[a-z0-9.][a-z0-9._-]*)*)?", ""),
    "clients": (rf"({ADDRESS}/\d\d?(,{ADDRESS}/\d\d?)*)?", ""),
    "stop_seconds": (r"\d{1,5}", "60"),
    "start_seconds": (r"\d{1,5}", "120"),
    "cover_seconds": (r"\d{1,5}", "1800"),
    "slow_seconds": (r"(\d{1,5})?", ""),
    "nodes": (rf"{NAME}:{ADDRESS}:{ZONE}:[a-z+]+:(in|drained|out)(,{NAME}:{ADDRESS}:{ZONE}:[a-z+]+:(in|drained|out))*", None),
}
SETTING = r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+"
RESERVED = (
    r"allocation|^cluster\.(initial_|name$)|^(discovery|network|path|node(?!\.store\.allow_mmap$))\.|^(http|transport)\.(port|host|bind|publish|tcp|profiles)"
)
MAP_COUNT = 262144


def take(words):
    """KEY=VALUE words as two dictionaries: keys of ours, and settings of the engine."""
    told, settings = {}, {}
    for word in words:
        key, _, value = word.partition("=")
        if "=" not in word or re.search(r"[\x00-\x1f\x7f]", value):
            end(64, f'"{key}" is not KEY=VALUE on one line')
        if key.startswith("set."):
            name = key[4:]
            if not re.fullmatch(SETTING, name):
                end(64, f'"{name}" is no setting of the engine')
            if re.search(RESERVED, name):
                end(77, f"{name} is what this program sets itself; remove it from settings")
            settings[name] = value
        elif key not in KEYS or not re.fullmatch(KEYS[key][0], value, re.ASCII):
            end(64, f'"{key}" can\'t be "{value[:80]}"; keys: {", ".join(KEYS)}, set.SETTING')
        else:
            told[key] = value
    lacking = [key for key, (_, otherwise) in KEYS.items() if otherwise is None and key not in told]
    if lacking:
        end(64, f"configure_node.py needs {', '.join(lacking)}")
    return {**{key: otherwise for key, (_, otherwise) in KEYS.items()}, **told}, settings


def listed(text):
    return [part for part in text.split(",") if part]


def facts_of(cluster, told):
    """What the scripts of this host know of the cluster."""
    nodes = {}
    for part in listed(told["nodes"]):
        name, address, zone, roles, state = part.split(":")
        nodes[name] = {"address": address, "zone": zone, "roles": [] if roles == "none" else roles.split("+"), "is": state}
    if told["node"] not in nodes:
        end(64, f"{told['node']} is none of nodes")
    return {
        "cluster": cluster,
        **{key: told[key] for key in ("engine", "version", "node", "address", "attribute", "owner", "data", "logs")},
        **{key: int(told[key]) for key in ("port", "transport_port", "owner_uid")},
        "coordinator": told["coordinator"] or None,
        "awareness": told["awareness"] == "yes",
        "spot_zones": listed(told["spot_zones"]),
        "single_manager": told["single_manager"] == "yes",
        "accept": listed(told["accept"]),
        "seconds": {key: int(told[f"{key}_seconds"]) for key in ("stop", "start", "cover")},
        "nodes": nodes,
        **({"repo": told["repo"]} if told["repo"] else {}),
        **({"slow_seconds": int(told["slow_seconds"])} if told["slow_seconds"] else {}),
    }


def file_of(facts, settings):
    """The engine's file: each value as a JSON text, which YAML reads as such."""
    own = facts["nodes"][facts["node"]]
    words = {"manager": DIALECTS[facts["engine"], int(facts["version"].split(".", maxsplit=1)[0])]["manager"]}
    lines = {
        "cluster.name": facts["cluster"],
        "node.name": facts["node"],
        "node.roles": [words.get(role, role) for role in own["roles"]],
        f"node.attr.{facts['attribute']}": own["zone"],
        "network.host": facts["address"],
        "http.port": str(facts["port"]),
        "transport.port": str(facts["transport_port"]),
        "path.data": facts["data"],
        "path.logs": facts["logs"],
        "discovery.seed_providers": "file",
        **settings,
    }
    if facts.get("repo"):
        lines["path.repo"] = [facts["repo"]]
    if facts["awareness"]:
        lines["cluster.routing.allocation.awareness.attributes"] = facts["attribute"]
    with open("/proc/sys/vm/max_map_count", encoding="utf8") as file:
        if int(file.read()) < MAP_COUNT:
            lines.setdefault("node.store.allow_mmap", "false")
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in sorted(lines.items()))


def jvm_of(base, facts, heap):
    """The distribution's own options, with logs where the account may write, and the heap."""
    text = re.sub(r"(?<=[=:])(logs/|data(?=$))", lambda found: facts["logs"] + ("/" if found[0] == "logs/" else ""), base, flags=re.M)
    return text, f"-Xms{heap}m\n-Xmx{heap}m\n-XX:+UseG1GC\n"


def write(folder, name, text, mode=0o644):
    path = f"{folder}/{name}"
    os.makedirs(os.path.dirname(path), mode=0o755, exist_ok=True)
    with open(path, "w", encoding="utf8") as file:
        file.write(text)
    os.chmod(path, mode)


def main(words):
    if words[:1] == ["--help"] or len(words) < 3:
        print(__doc__)
        sys.exit(0 if words[:1] == ["--help"] else 64)
    cluster, folder = words[:2]
    os.umask(0o022)
    told, settings = take(words[2:])
    facts = facts_of(cluster, told)
    home = f"/opt/changeover-search/{cluster}/versions/{facts['version']}"
    has_data = "data" in facts["nodes"][facts["node"]]["roles"]
    heap = told["heap_mib"] if has_data else told["coordinator_heap_mib"]
    engine = facts["engine"]
    texts = {f"{engine}.yml": file_of(facts, settings)}
    try:
        with open(f"{home}/config/jvm.options", encoding="utf8") as file:
            texts["jvm.options"], texts["jvm.options.d/changeover.options"] = jvm_of(file.read(), facts, heap)
        with open(f"{home}/config/log4j2.properties", encoding="utf8") as file:
            texts["log4j2.properties"] = file.read()
    except OSError as error:
        end(77, f"version {facts['version']} is not staged on this host: {error}")
    summed = hashlib.sha256(json.dumps([facts["version"], told["sha256"], texts], sort_keys=True).encode())
    mark = summed.hexdigest()[:12]
    plan = f"/etc/changeover/search/{cluster}/plans/{mark}"
    conf = "OPENSEARCH" if engine == "opensearch" else "ES"
    texts["environment"] = f"SEARCH_HOME={home}\n{conf}_PATH_CONF={plan}\n"
    texts["version"] = facts["version"] + "\n"
    texts["unicast_hosts.txt"] = "".join(f"{about['address']}:{facts['transport_port']}\n" for _, about in sorted(facts["nodes"].items()))
    for name, text in texts.items():
        write(f"{folder}/plan", name, text)
    write(folder, "facts.json", json.dumps(facts, indent=1, sort_keys=True) + "\n")
    members = "".join(f"member {about['address']}\n" for _, about in sorted(facts["nodes"].items()))
    write(folder, "rules", members + "".join(f"client {network}\n" for network in listed(told["clients"])))
    keys = ("owner", "owner_uid", "data", "logs", "engine", "version", "port", "transport_port")
    variables = "".join(f"{key.upper()}={facts[key]}\n" for key in keys)
    repo = f"REPO={facts['repo']}\n" if facts.get("repo") else ""
    write(folder, "variables", variables + repo + f"STOP={facts['seconds']['stop']}\n")
    print(mark)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Requests to Solr about one of its cores, over HTTP."""

import http.client
import json
import os
import urllib.parse
import urllib.request

LIMIT_S = 10
# Exceptions of a request.
FAULTS = (OSError, http.client.HTTPException, ValueError, KeyError)
# Without the proxy of the caller's environment: the machines of a pair talk directly.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(host, port, path, limit=LIMIT_S, **words):
    """@raise one of FAULTS"""
    query = urllib.parse.urlencode({**words, "wt": "json"})
    with DIRECT.open(f"http://{host}:{port}/solr/{path}?{query}", timeout=limit) as answer:
        return json.load(answer)


def latest(host, port, core):
    """The last commit, as indexversion() returns it, and the name of its folder: `index`, or `index.` and a time.

    Read from the details. Solr's command `indexversion` returns the last commit announced to
    followers, which after a reload onto another folder is one of the old folder.
    """
    details = ask(host, port, f"{core}/replication", command="details")["details"]
    return (details["indexVersion"], details["generation"]), os.path.basename(details["indexPath"].rstrip("/"))


def indexversion(host, port, core):
    """The last commit: its time in milliseconds (0: no commit yet) and its generation."""
    return latest(host, port, core)[0]


def filelist(host, port, core, generation):
    """Names and sizes of a commit's files; empty when Solr has deleted it. Solr keeps listed files for some seconds."""
    answer = ask(host, port, f"{core}/replication", command="filelist", generation=generation)
    return {file["name"]: file["size"] for file in answer.get("filelist", [])}


def searched(host, port, core):
    """The commit that searches see: its time and its number of documents."""
    index = ask(host, port, "admin/cores", action="STATUS", core=core)["status"][core]["index"]
    return int(index["userData"].get("commitTimeMSec", 0)), index["numDocs"]


def pending(host, port, core):
    """The number of uncommitted changes."""
    beans = ask(host, port, f"{core}/admin/mbeans", stats="true", cat="UPDATEHANDLER")["solr-mbeans"]
    stats = beans[beans.index("UPDATEHANDLER") + 1]["updateHandler"]["stats"]
    return sum(int(stats[key]) for key in ("docsPending", "deletesById", "deletesByQuery"))

"""What a Solr says of one of its cores, over HTTP."""

import http.client
import json
import os
import urllib.parse
import urllib.request

LIMIT_S = 10
# What asking may raise.
FAULTS = (OSError, http.client.HTTPException, ValueError, KeyError)
# No proxy of the caller's environment stands between two machines of a pair.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(host, port, path, limit=LIMIT_S, **words):
    """@raise one of FAULTS"""
    query = urllib.parse.urlencode({**words, "wt": "json"})
    with DIRECT.open(f"http://{host}:{port}/solr/{path}?{query}", timeout=limit) as answer:
        return json.load(answer)


def latest(host, port, core):
    """The last commit, as indexversion() says it, and the name of its folder: `index`, or `index.` and a time.

    The details know it. The command `indexversion` tells the last commit that was announced to
    followers, and after a reload onto another folder that is one of the old folder.
    """
    details = ask(host, port, f"{core}/replication", command="details")["details"]
    return (details["indexVersion"], details["generation"]), os.path.basename(details["indexPath"].rstrip("/"))


def indexversion(host, port, core):
    """The last commit: its time in milliseconds (0: there was none yet) and its generation."""
    return latest(host, port, core)[0]


def filelist(host, port, core, generation):
    """Names and sizes of a commit's files, which are now kept for some seconds; empty when it is gone."""
    said = ask(host, port, f"{core}/replication", command="filelist", generation=generation)
    return {file["name"]: file["size"] for file in said.get("filelist", [])}


def searched(host, port, core):
    """The commit that searches see, by its time, and the number of its documents."""
    index = ask(host, port, "admin/cores", action="STATUS", core=core)["status"][core]["index"]
    return int(index["userData"].get("commitTimeMSec", 0)), index["numDocs"]


def pending(host, port, core):
    """The number of changes that no commit holds yet."""
    beans = ask(host, port, f"{core}/admin/mbeans", stats="true", cat="UPDATEHANDLER")["solr-mbeans"]
    stats = beans[beans.index("UPDATEHANDLER") + 1]["updateHandler"]["stats"]
    return sum(int(stats[key]) for key in ("docsPending", "deletesById", "deletesByQuery"))

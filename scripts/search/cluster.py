"""Ask a search cluster over HTTP: at any of its nodes, or at one of them. Imported by the scripts of this folder.

What it knows of the cluster is the file that configure-node.sh wrote on this host: `/etc/changeover/search/CLUSTER.json`.
"""

import http.client
import json
import os
import re
import socket
import sys

FOLDER = os.environ.get("CHANGEOVER_SEARCH", "/etc/changeover/search")
# An answer is data of another machine: no more of it is read than any answer here needs.
MOST_BYTES = 256 << 20


class NoAnswer(Exception):
    """Nobody answered, or not in time, or no manager is elected (503)."""


class Denied(Exception):
    """The cluster refused: `status` of HTTP, its reason in one line, and `full`, all that it said."""

    def __init__(self, status, reason, full=""):
        super().__init__(f"{reason} (HTTP {status})")
        self.status = status
        self.reason = reason
        self.full = full or reason


# What differs by engine and major version. `tested`: real servers of it run in this project's tests.
DIALECTS = {
    ("opensearch", 2): {"tested": True, "manager": "cluster_manager", "patience": "cluster_manager_timeout", "window": "primaries",
                        "forming": "cluster.initial_cluster_manager_nodes"},
    ("elasticsearch", 7): {"tested": True, "manager": "master", "patience": "master_timeout", "window": "primaries",
                           "forming": "cluster.initial_master_nodes"},
}


def end(code, text):
    """End with an instruction: 64 fix the call, 75 run again, 77 a person must decide."""
    print(f"{ {64: 'called wrongly', 75: 'timed out'}.get(code, 'refused') }: {text}", file=sys.stderr)
    sys.exit(code)


def narrate(text):
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass


def load(cluster):
    """The facts of a cluster on this host. @raise SystemExit 77 when this host is no node of it."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", cluster):
        end(64, f'"{cluster}" is no name of a cluster')
    path = f"{FOLDER}/{cluster}.json"
    try:
        with open(path, encoding="utf8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        end(77, f"{socket.gethostname()} is no node of {cluster}: {path}: {error}; run npx pulumi up")


def reason_of(text):
    """Why a cluster refused, in one line, from the body of its answer."""
    try:
        error = json.loads(text)["error"]
    except (ValueError, KeyError, TypeError):
        return re.sub(r"\s+", " ", text)[:300] or "no reason given"
    if isinstance(error, str):
        return error[:300]
    causes = error.get("root_cause") or [error]
    return re.sub(r"\s+", " ", str(causes[0].get("reason") or error.get("reason") or error))[:300]


class Cluster:
    """A cluster by its nodes.

    facts: `load()`. without: nodes that are not asked, since they are about to stop.
    """

    def __init__(self, facts, without=()):
        self.facts = facts
        self.name = facts["cluster"]
        self.own = facts["node"]
        self.nodes = facts["nodes"]
        self.without = tuple(without)
        major = int(str(facts["version"]).split(".", maxsplit=1)[0])
        self.dialect = DIALECTS[(facts["engine"], major)]

    def members(self, *states):
        """Names of nodes with one of these states (`in`, `drained`, `out`), in the order of their names."""
        return [name for name in sorted(self.nodes) if self.nodes[name]["is"] in states]

    def order(self):
        """Whom a question for the whole cluster goes to, first to last."""
        first = [self.facts.get("coordinator"), self.own, *self.members("in", "drained"), *self.members("out")]
        return [name for name in dict.fromkeys(first) if name in self.nodes and name not in self.without]

    def at(self, node, path, body=None, method=None, seconds=10, headers=None):
        """One node's own answer, at its own address. @raise NoAnswer, Denied."""
        place = self.nodes[node]
        connection = http.client.HTTPConnection(place["address"], self.facts["port"], timeout=seconds)
        data = None if body is None else body if isinstance(body, (bytes, str)) else json.dumps(body)
        kind = "application/x-ndjson" if isinstance(body, (bytes, str)) else "application/json"
        try:
            connection.request(method or ("GET" if data is None else "POST"), path, data, (headers or {}) | ({"Content-Type": kind} if data else {}))
            answer = connection.getresponse()
            text = answer.read(MOST_BYTES).decode("utf8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"{node} ({place['address']}:{self.facts['port']}): {error or type(error).__name__}") from error
        finally:
            connection.close()
        if answer.status == 503:
            raise NoAnswer(f"{node}: {reason_of(text)}")
        if answer.status >= 400:
            raise Denied(answer.status, reason_of(text), text)
        try:
            return json.loads(text) if text else {}
        except ValueError as error:
            raise NoAnswer(f"{node} answers no JSON: {text[:80]!r}") from error

    def ask(self, path, body=None, method=None, seconds=10, headers=None):
        """The cluster's answer, at the first node that has one. @raise NoAnswer with what each said; Denied."""
        said = []
        for node in self.order():
            try:
                return self.at(node, path, body, method, seconds, headers)
            except NoAnswer as error:
                said.append(str(error))
        raise NoAnswer("; ".join(said) or f"{self.name} has no node that may be asked")

    def put(self, path, body, seconds=10):
        return self.ask(path, body, "PUT", seconds)

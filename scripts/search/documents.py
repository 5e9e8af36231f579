#!/usr/bin/env python3
"""Count the documents that a rule means, and delete them. The Python half of count-documents.sh and delete-documents.sh.

Usage: documents.py CLUSTER count|delete KEY=VALUE…

Keys: index (a name, or the begin of names and *), limit, snapshot (needed|without), and either query (JSON) or field with days.
`count` refuses what is no rule for old data, and records query, indexes and snapshot; `delete` takes that record and no other, so a run
that was killed goes on with the same date. Pages of a search are deleted with the version that was found: what somebody changes meanwhile
is looked at again. Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import json
import os
import re
import sys
import time
from urllib.parse import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from node_unit import ROOT, write_file  # noqa: E402

KEYS = {
    "index": r"[a-z0-9][a-z0-9._-]{0,200}\*?",
    "limit": r"\d{1,10}",
    "snapshot": r"needed|without",
    "query": r"\{.{1,8000}\}",
    "field": r"[A-Za-z_@][A-Za-z0-9_.@-]{0,120}",
    "days": r"\d{1,5}",
}
PAGE, FRESH_S, BUSY_S = 1000, 3600, 5


def take(words):
    told = dict(word.split("=", 1) for word in words if "=" in word)
    for key, value in told.items():
        if key not in KEYS or not re.fullmatch(KEYS[key], value, re.ASCII if key != "query" else 0):
            end(64, f'"{key}" can\'t be "{value[:80]}"; keys: {", ".join(KEYS)}')
    byage = "field" in told and "days" in told
    if not {"index", "limit", "snapshot"} <= told.keys() or byage == ("query" in told) or len(told) != len(words):
        end(64, "documents.py needs index, limit, snapshot, and query or field with days")
    return told


def query_of(told):
    """The query, with a date that stands still."""
    if "query" in told:
        try:
            return json.loads(told["query"])
        except ValueError as error:
            end(64, f"query is no JSON: {error}")
    before = int(time.time() * 1000) - int(told["days"]) * 86_400_000
    return {"range": {told["field"]: {"lt": before, "format": "epoch_millis"}}}


def record_path():
    return f"{ROOT}/{os.environ.get('CHANGEOVER_COMPONENT', 'by-hand')}/counted.json"


def read_record():
    """What `count` of this very transition found; None without it."""
    try:
        with open(record_path(), encoding="utf8") as file:
            found = json.load(file)
        return found if found.get("id") == keeper.identity() else None
    except (OSError, ValueError):
        return None


def count(cluster, index, query=None):
    body = {} if query is None else {"query": query}
    return cluster.ask(f"/{quote(index)}/_count", body, "POST", 120)["count"]


def refresh(cluster, index):
    cluster.ask(f"/{quote(index)}/_refresh", method="POST", seconds=120)


def indexes(cluster, pattern):
    try:
        said = cluster.ask(f"/_cat/indices/{quote(pattern, safe='*')}?format=json&h=index&expand_wildcards=open", seconds=30)
    except Denied as error:
        if error.status != 404:
            raise
        said = []
    return sorted(one["index"] for one in said if not one["index"].startswith("."))


def snapshots(cluster, names):
    """Index -> the newest whole snapshot that has it, with its begin in seconds."""
    found = {}
    for repository in cluster.ask("/_snapshot"):
        try:
            said = cluster.ask(f"/_snapshot/{quote(repository)}/_all?ignore_unavailable=true", seconds=60).get("snapshots", [])
        except (Denied, NoAnswer) as error:
            narrate(f"repository {repository} is not looked at: {error}")
            continue
        for one in said:
            began = one.get("start_time_in_millis", 0) / 1000
            for name in set(one.get("indices", [])) & set(names) if one.get("state") == "SUCCESS" else ():
                if began > found.get(name, ("", 0))[1]:
                    found[name] = (f"{repository}/{one['snapshot']}", began)
    return found


def require_fresh(cluster, names):
    """Names of the snapshots that bring the documents back; ends with 77 without one of the last hour for each index."""
    found, now = snapshots(cluster, names), time.time()
    for name in names:
        if name not in found:
            end(77, f"no whole snapshot has {name}; take one, or say why none is needed: withoutSnapshot; nothing was deleted")
        age = now - found[name][1]
        if age > FRESH_S:
            end(77, f"the newest snapshot with {name}, {found[name][0]}, was begun {age / 60:.0f} min ago (allowed: {FRESH_S // 60}); take one, or set withoutSnapshot; nothing was deleted")
    return sorted({found[name][0] for name in names})


def first_count(cluster, told):
    again = read_record()
    if again:
        left = sum(count(cluster, name, again["query"]) for name in again["indexes"])
        return f"{again['count']} documents were counted before, {left} are left", {"count": again["count"], "left": left}
    query, names = query_of(told), indexes(cluster, told["index"])
    if not names:
        end(77, f"{cluster.name} has no open index {told['index']}; correct index of the rule")
    matches, parts = {}, []
    for name in names:
        refresh(cluster, name)
        matches[name], whole = count(cluster, name, query), count(cluster, name)
        if matches[name]:
            parts.append(f"{name}: {matches[name]} of {whole}")
        if matches[name] == whole > 0:
            end(77, f"the rule means every document of {name} ({whole}); correct it, or delete that index as a whole by hand; nothing was deleted")
    total, limit = sum(matches.values()), int(told["limit"])
    if total > limit:
        end(77, f"{total} documents match (allowed: {limit}, the rule's limit): {'; '.join(parts[:5])}; raise the limit if that is right; nothing was deleted")
    wanted = [name for name in names if matches[name]]
    kept = require_fresh(cluster, wanted) if wanted and told["snapshot"] == "needed" else []
    record = {"id": keeper.identity(), "query": query, "indexes": wanted, "count": total, "snapshots": kept}
    write_file(record_path(), json.dumps(record))
    back = f"; they are in {', '.join(kept[:3])}" if kept else "; no snapshot is asked for" if wanted else ""
    return f"{total} documents match (limit {limit}){': ' + '; '.join(parts[:5]) if parts else ''}{back}", {"count": total, "snapshots": ",".join(kept)}


def delete_page(cluster, index, query):
    """(deleted, met somebody else's change, told to wait) of one page; None when nothing matches any more."""
    body = {"size": PAGE, "query": query, "sort": ["_doc"], "_source": False, "seq_no_primary_term": True}
    found = cluster.ask(f"/{quote(index)}/_search", body, "POST", 120)
    if found["_shards"]["failed"]:
        raise NoAnswer(f"{found['_shards']['failed']} shards of {index} give no answer")
    hits = found["hits"]["hits"]
    if not hits:
        return None
    lines = []
    for hit in hits:
        about = {"_id": hit["_id"], "if_seq_no": hit["_seq_no"], "if_primary_term": hit["_primary_term"]}
        lines.append(json.dumps({"delete": {**about, **({"routing": hit["_routing"]} if "_routing" in hit else {})}}))
    keeper.require_claim()
    said = cluster.ask(f"/{quote(index)}/_bulk?filter_path=items.*.status,items.*.error.reason", "\n".join(lines) + "\n", "POST", 120)
    results = [one["delete"] for one in said["items"]]
    refused = [one for one in results if one["status"] in (400, 403)]
    if refused:
        end(77, f"{index} refuses: {refused[0].get('error', {}).get('reason', 'no reason given')[:300]}")
    refresh(cluster, index)
    return sum(one["status"] == 200 for one in results), sum(one["status"] == 409 for one in results), any(one["status"] in (429, 503) for one in results)


def delete(cluster):
    record = read_record()
    if record is None:
        end(75, f"the documents were not counted by this transition ({keeper.identity()}); run npx pulumi up again")
    gone, changed, told = 0, 0, time.monotonic()
    for name in record["indexes"]:
        while True:
            began = time.monotonic()
            page = delete_page(cluster, name, record["query"])
            if page is None:
                break
            gone, changed = gone + page[0], changed + page[1]
            if time.monotonic() > told:
                narrate(f"{name}: {gone} deleted of {record['count']}")
                told = time.monotonic() + 5
            # As long as a page took, others are served: a half of the cluster's time at most.
            time.sleep(BUSY_S if page[2] else min(time.monotonic() - began, 2))
    left = sum(count(cluster, name, record["query"]) for name in record["indexes"])
    if left:
        end(75, f"{left} documents match again, written meanwhile; run npx pulumi up again")
    return words_of(cluster, record, gone, changed)


def words_of(cluster, record, gone, changed):
    held = 0
    if record["indexes"]:
        said = cluster.ask(f"/{quote(','.join(record['indexes']), safe=',')}/_stats/store?filter_path=_all.total.store.size_in_bytes", seconds=60)
        held = said.get("_all", {}).get("total", {}).get("store", {}).get("size_in_bytes", 0)
    more = f", {changed} were changed meanwhile and looked at again" if changed else ""
    where = f" in {len(record['indexes'])} indexes, which have {held / 2**20:.0f} MiB; room returns as segments are merged" if record["indexes"] else ""
    return f"{gone} documents are deleted{more}, none matches any more{where}", {"deleted": gone, "left": 0, "bytes": held}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) < 3 or words[1] not in ("count", "delete"):
        end(64, f"documents.py takes CLUSTER count|delete KEY=VALUE…, got: {' '.join(words)}")
    keeper.end_with_parent()
    told, cluster = take(words[2:]), Cluster(load(words[0]))
    try:
        prose, pairs = first_count(cluster, told) if words[1] == "count" else delete(cluster)
    except NoAnswer as error:
        end(75, f"{cluster.name} gives no answer: {error}; run npx pulumi up again, it goes on")
    except Denied as error:
        end(77, f"{cluster.name} refuses: {error}")
    print("\n".join([prose, *(f"{key}={value}" for key, value in pairs.items())]))


if __name__ == "__main__":
    main(sys.argv[1:])

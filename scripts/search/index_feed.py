"""Bring a copy of an index up to its source: changes by sequence number, then deletes, then the comparison.

Versions alone do not do: an id that was deleted and written anew starts at version 1 again. Sequence numbers only grow.
"""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import indexes
from cluster import Denied

PAGE = 500
IDS_PAGE = 10000
BULK_BYTES = 5 << 20
AT_ONCE = 4
SAMPLE = 200


class Late(Exception):
    """The time is over."""


class Deadline:
    """Seconds that are left, for each request."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds

    def left(self, most=60):
        """@raise Late."""
        rest = self.end - time.monotonic()
        if rest <= 0:
            raise Late
        return min(most, max(rest, 0.5))


class Refused(Exception):
    """The new index takes a document not: its id, and why."""


def bulk(cluster, index, lines, seconds):
    """Items of a bulk request, in their order. @raise NoAnswer, Denied."""
    text = "".join(f"{json.dumps(line)}\n" for line in lines)
    said = cluster.ask(f"/{index}/_bulk?filter_path=items.*.status,items.*.error.reason,items.*.error.caused_by.reason,items.*._id", text, "POST", seconds)
    return [next(iter(item.values())) for item in said["items"]]


def place(hit):
    routing = hit.get("_routing")
    return {"_id": hit["_id"], **({} if routing is None else {"routing": routing})}


def write(cluster, dest, hits, deadline, *, versions=True):
    """Documents as they are in the source. A version lower than the copy's is written all the same. @raise Refused."""
    part, size, parts = [], 0, []
    for hit in hits:
        part.append(hit)
        size += len(json.dumps(hit["_source"]))
        if size > BULK_BYTES:
            parts, part, size = [*parts, part], [], 0
    for group in [*parts, part] if part else parts:
        lines = []
        for hit in group:
            version = {"version": hit["_version"], "version_type": "external_gte"} if versions else {}
            lines += [{"index": {**place(hit), **version}}, hit["_source"]]
        items = bulk(cluster, dest, lines, deadline.left())
        again = []
        for hit, item in zip(group, items):
            if item["status"] == 409 and versions:
                again.append(hit)
            elif item["status"] >= 300:
                error = item.get("error", {})
                raise Refused(f"{hit['_id']}: {(error.get('caused_by') or {}).get('reason') or error.get('reason')}")
        if again:
            write(cluster, dest, again, deadline, versions=False)


def catch_up(cluster, source, dest, since, deadline, *, last=False, pace=0):
    """Copy what changed in the source after `since`. last: nobody writes it any more.

    pace: documents a second, 0: no limit. Gives (since for the next time, documents copied). @raise NoAnswer, Denied, Refused, Late
    """
    now, copied = indexes.checkpoints(cluster, source, last=last), 0
    cluster.ask(f"/{source}/_refresh", {}, "POST", deadline.left())
    for shard, top in now.items():
        after = since.get(shard, -1)
        while after < top:
            query = {"range": {"_seq_no": {"gt": after, "lte": top}}}
            asked = {"size": PAGE, "sort": [{"_seq_no": "asc"}], "query": query, "version": True, "track_total_hits": False}
            path = f"/{source}/_search?preference=_shards:{shard}&allow_partial_search_results=false"
            hits = cluster.ask(path, asked, "POST", deadline.left())["hits"]["hits"]
            if not hits:
                break
            write(cluster, dest, hits, deadline)
            after, copied = hits[-1]["sort"][0], copied + len(hits)
            if pace:
                time.sleep(len(hits) / pace)
    return now, copied


def ids_of_shard(cluster, index, shard, deadline):
    found, scroll = set(), None
    asked = {"size": IDS_PAGE, "sort": ["_doc"], "_source": False}
    path = f"/{index}/_search?scroll=1m&preference=_shards:{shard}&allow_partial_search_results=false"
    said = cluster.ask(f"{path}&filter_path=_scroll_id,hits.hits._id,hits.hits._routing", asked, "POST", deadline.left())
    while True:
        scroll = said.get("_scroll_id", scroll)
        hits = said.get("hits", {}).get("hits", [])
        found.update((hit["_id"], hit.get("_routing")) for hit in hits)
        if len(hits) < IDS_PAGE:
            break
        more = {"scroll": "1m", "scroll_id": scroll}
        said = cluster.ask("/_search/scroll?filter_path=_scroll_id,hits.hits._id,hits.hits._routing", more, "POST", deadline.left())
    try:
        cluster.ask("/_search/scroll", {"scroll_id": scroll}, "DELETE")
    except Denied:
        pass
    return found


def ids(cluster, index, deadline, *, refresh=False):
    """(id, routing) of each document of the last refresh. @raise NoAnswer, Denied, Late."""
    if refresh:
        cluster.ask(f"/{index}/_refresh", {}, "POST", deadline.left())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = pool.map(lambda shard: ids_of_shard(cluster, index, shard, deadline), indexes.checkpoints(cluster, index))
        return set().union(*parts)


def remove_gone(cluster, source, dest, deadline):
    """Delete from the copy what the source has not any more. (ids of the source, ids of the copy after it, how many were deleted).

    The copy is listed first, so a document that comes meanwhile is not taken for one that is gone.
    """
    copy, real = (ids(cluster, index, deadline, refresh=True) for index in (dest, source))
    gone = sorted(copy - real, key=str)
    for at in range(0, len(gone), PAGE):
        lines = [{"delete": place({"_id": name, "_routing": routing})} for name, routing in gone[at : at + PAGE]]
        failed = [item for item in bulk(cluster, dest, lines, deadline.left()) if item["status"] not in (200, 404)]
        if failed:
            raise Refused(f"{failed[0].get('_id')}: {failed[0].get('error', {}).get('reason')}")
    return real, copy - set(gone), len(gone)


def differing(cluster, source, dest, names, deadline):
    """Ids of a sample whose texts are not the same in both."""
    chosen = random.sample(sorted(names, key=str), min(SAMPLE, len(names)))
    if not chosen:
        return [], 0
    asked = {"docs": [place({"_id": name, "_routing": routing}) for name, routing in chosen]}
    one, other = (cluster.ask(f"/{index}/_mget", asked, "POST", deadline.left())["docs"] for index in (source, dest))
    return [a["_id"] for a, b in zip(one, other) if a.get("_source") != b.get("_source")], len(chosen)

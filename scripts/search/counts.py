"""How many documents indexes have, and between which bounds a restored copy must be. Imported by the steps of snapshots.

A count is of the last refresh, and programs write meanwhile. So each count comes with the number of operations (`ops`: the sum of
`max_seq_no + 1` of its primaries), which a restored shard keeps: a copy that is N operations later differs by N documents at most.
"""

import json

from sizes import some_of

HIDDEN = "expand_wildcards=open,hidden&ignore_unavailable=true"
OPS = f"/_stats?level=shards&{HIDDEN}&filter_path=indices.*.shards.*.routing.primary,indices.*.shards.*.seq_no.max_seq_no"
MADE = "/_cluster/state/metadata?filter_path=metadata.indices.*.settings.index.creation_date,metadata.indices.*.state"
# Indexes that are asked for in one request.
AT_ONCE = 100
SAMPLE = 10


def lots(names):
    names = list(names)
    return [names[at : at + AT_ONCE] for at in range(0, len(names), AT_ONCE)]


def ops(cluster, names):
    """Operations by index, of indexes whose every shard has a primary that tells. @raise NoAnswer, Denied"""
    found = {}
    for lot in lots(names):
        said = cluster.ask(f"/{','.join(lot)}{OPS}", seconds=60).get("indices", {})
        for name, about in said.items():
            primaries = [one for copies in about.get("shards", {}).values() for one in copies if one.get("routing", {}).get("primary")]
            if primaries and all("seq_no" in one for one in primaries):
                found[name] = sum(one["seq_no"]["max_seq_no"] + 1 for one in primaries)
    return found


def documents(cluster, names):
    """Documents by index, after a refresh; indexes with a shard that does not answer are left out. @raise NoAnswer, Denied"""
    found = {}
    for lot in lots(names):
        cluster.ask(f"/{','.join(lot)}/_refresh?{HIDDEN}&filter_path=_shards.failed", method="POST", seconds=300)
        rows = []
        for name in lot:
            rows += [json.dumps({"index": name, "ignore_unavailable": True}), json.dumps({"size": 0, "track_total_hits": True})]
        answers = cluster.ask("/_msearch?filter_path=responses.hits.total,responses._shards", "\n".join(rows) + "\n", seconds=120)
        for name, one in zip(lot, answers["responses"]):
            shards = one.get("_shards", {})
            if shards.get("total") and not shards.get("failed") and shards.get("successful") == shards["total"]:
                found[name] = one["hits"]["total"]["value"]
    return found


def made(cluster):
    """When each open index was made: an index of the same name that was made anew is another one. @raise NoAnswer, Denied"""
    said = cluster.ask(MADE).get("metadata", {}).get("indices", {})
    return {name: about["settings"]["index"]["creation_date"] for name, about in said.items() if about.get("state") == "open"}


def before(cluster, names):
    """{index: {docs, ops}}: what a copy that begins later must have at least. Operations are read first. @raise NoAnswer, Denied"""
    first = ops(cluster, names)
    found = documents(cluster, first)
    return {name: {"docs": count, "ops": first[name]} for name, count in found.items()}


def after(cluster, names):
    """The same for what a copy that began earlier may have at most: operations are read last. @raise NoAnswer, Denied"""
    found = documents(cluster, names)
    last = ops(cluster, found)
    return {name: {"docs": count, "ops": last[name]} for name, count in found.items() if name in last}


def outside(index, copy, first, last):
    """Why a copy is not between two counts of its index, in words; "" when it is. `first`, `last` may be None.

    copy, first, last: {docs, ops}; `first` was counted before the snapshot, `last` at any time after it began.
    """
    for bound, more, what in ((first, 1, "before the snapshot"), (last, -1, "after it")):
        if bound is None:
            continue
        moved = more * (copy["ops"] - bound["ops"])
        if moved < 0:
            return f"{index}: the copy has {copy['ops']} operations, and {bound['ops']} were counted {what}"
        least, most = bound["docs"] - moved, bound["docs"] + moved
        if not least <= copy["docs"] <= most:
            allowed = f"{least} to {most}" if moved else f"{most}"
            return f"{index}: the copy has {copy['docs']} documents (allowed: {allowed}, by the count {what})"
    return ""


def sample(cluster, index):
    """Some documents of an index, each with its place in the order of writes. @raise NoAnswer, Denied"""
    body = {"size": SAMPLE, "seq_no_primary_term": True, "query": {"function_score": {"random_score": {"seed": 7, "field": "_seq_no"}}}}
    said = cluster.ask(f"/{index}/_search?filter_path=hits.hits", body, seconds=60)
    return said.get("hits", {}).get("hits", [])


def unlike(cluster, index, copies, moved):
    """(compared, why): documents of a copy against those of the live index. `moved`: operations since; None when unknown.

    Only a document of the same write can be compared. @raise NoAnswer, Denied
    """
    docs = [{"_index": index, "_id": one["_id"], **({"routing": one["_routing"]} if "_routing" in one else {})} for one in copies]
    if not docs:
        return 0, ""
    said = cluster.ask("/_mget", {"docs": docs}, seconds=60).get("docs", [])
    same, other = 0, []
    for copy, live in zip(copies, said):
        if not live.get("found") or (live["_seq_no"], live["_primary_term"]) != (copy["_seq_no"], copy["_primary_term"]):
            other.append(copy["_id"])
        elif live.get("_source") != copy.get("_source"):
            return same, f"{index}: document {copy['_id'][:80]} is not the same in the copy, though nobody has written it since"
        else:
            same += 1
    if moved is not None and len(other) > moved:
        return same, f"{index}: {some_of(other)} of the copy are other documents in the index, after {moved} operations since"
    return same, ""

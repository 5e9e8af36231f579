"""Indexes behind an alias: `ALIAS-vVERSION`, and what this program notes of them in their mapping's `_meta`.

The note: {cluster, alias, version, sha256 of the body, source (uuid of the index that it is a copy of), since (sequence number of
that one by shard: what has a higher one is to be copied still), copied, served}. Answers of the cluster are data.
"""

import json
import os

from cluster import Denied, NoAnswer, end

MARK = "changeover"


def physical(alias, version):
    return f"{alias}-v{version}"


def ask_or_none(cluster, path):
    try:
        return cluster.ask(path)
    except Denied as error:
        if error.status == 404:
            return None
        raise


def about(cluster, name):
    """{aliases, mappings, settings} of an index; None: no index has the name, though an alias may. @raise NoAnswer, Denied."""
    return (ask_or_none(cluster, f"/{name}?flat_settings=true") or {}).get(name)


def behind(cluster, alias):
    """Indexes that an alias names, each with the alias's filter and routing. @raise NoAnswer, Denied."""
    said = ask_or_none(cluster, f"/_alias/{alias}") or {}
    return {index: dict(one["aliases"].get(alias) or {}) for index, one in said.items() if alias in one.get("aliases", {})}


def serving(cluster, alias):
    """(index, alias's definition) behind the alias; (None, {}) without one. Ends with 77 when it names several."""
    found = behind(cluster, alias)
    if len(found) > 1:
        end(77, f"{alias} names {', '.join(sorted(found))} (allowed: one index); take the others out of the alias")
    return next(iter(found.items()), (None, {}))


def uuid_of(said):
    return said["settings"]["index.uuid"]


def note_of(said):
    """What this program noted in an index; {} in another's."""
    noted = ((said or {}).get("mappings", {}).get("_meta") or {}).get(MARK)
    return noted if isinstance(noted, dict) else {}


def is_ours(cluster, alias, said):
    noted = note_of(said)
    return noted.get("cluster") == cluster.name and noted.get("alias") == alias


def note(cluster, name, /, **changes):
    """Change the note of an index; what else its `_meta` has stays. @raise NoAnswer, Denied."""
    said = about(cluster, name)
    if said is None:
        raise Denied(404, f"{name} is gone")
    meta = dict(said["mappings"].get("_meta") or {})
    meta[MARK] = {**note_of(said), **changes}
    cluster.put(f"/{name}/_mapping", {"_meta": meta})


def family(cluster, alias):
    """Indexes of ours for an alias, by name. @raise NoAnswer, Denied."""
    said = ask_or_none(cluster, f"/{alias}-v*?flat_settings=true&expand_wildcards=open,closed,hidden") or {}
    return {name: one for name, one in said.items() if is_ours(cluster, alias, one)}


def count(cluster, name, seconds=30):
    return cluster.ask(f"/{name}/_count", seconds=seconds)["count"]


def checkpoints(cluster, name, *, last=False):
    """A sequence number by shard: each change up to it is in every copy. last: the highest one, of an index without writes.

    @raise NoAnswer while a shard has no primary; Denied.
    """
    said = cluster.ask(f"/{name}/_stats?level=shards&filter_path=indices.*.shards.*.seq_no,indices.*.shards.*.routing")
    shards = said.get("indices", {}).get(name, {}).get("shards", {})
    found = {}
    for number, copies in shards.items():
        for copy in copies:
            if copy["routing"]["primary"]:
                found[number] = copy["seq_no"]["max_seq_no" if last else "global_checkpoint"]
    wanted = int(about(cluster, name)["settings"]["index.number_of_shards"])
    if len(found) < wanted:
        raise NoAnswer(f"{wanted - len(found)} shard(s) of {name} have no primary")
    return found


def body_of(path):
    """Settings and mappings of a version, from the file that was copied to this host. Ends with 77 when it is none."""
    try:
        with open(path, encoding="utf8") as file:
            body = json.load(file)
    except (OSError, ValueError) as error:
        end(77, f"{os.path.basename(path)} is no JSON file: {error}")
    if not isinstance(body, dict) or set(body) - {"settings", "mappings"} or not all(isinstance(part, dict) for part in body.values()):
        end(77, f"{os.path.basename(path)} may have settings and mappings only")
    return body

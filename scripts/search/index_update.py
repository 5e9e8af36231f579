#!/usr/bin/env python3
"""Bring the index behind an alias to a version in place: new fields, then every document anew. The Python half of update-index.sh.

Usage: index_update.py CLUSTER ALIAS RATE VERSION SHA256 BODY     RATE: documents a second, 0: no limit

The engine takes only what it can add; anything else is refused before a document is touched. Documents that a program wrote at the
same moment have the new fields already; they are counted, and the rest is repeated until none is left. Ends with 0, 64, 75 or 77.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import allocation  # noqa: E402
import index_goal  # noqa: E402
import index_task  # noqa: E402
import indexes  # noqa: E402
import keeper  # noqa: E402
from cluster import Denied, end  # noqa: E402

UPDATE_S = 12 * 3600
ROUNDS = 10
CURE = "use `how: reindex`"


def other_settings(body, real):
    """Settings of the body that the index has not so: nothing of them is changed in place. Pure."""
    said = body.get("settings", {})
    wanted = allocation.flat({"index": {**{key: value for key, value in said.items() if key != "index"}, **said.get("index", {})}})
    wanted = {key.replace("index.index.", "index."): value for key, value in wanted.items()}
    return sorted(key for key, value in wanted.items() if str(value).lower() != str(real.get(key)).lower())


def add_fields(cluster, goal, index, said, body):
    """Ends with 77 in words when the engine can't add them; then nothing is changed."""
    other = other_settings(body, said["settings"])
    if other:
        end(77, f"{index} has other settings than the body of \"{goal.version}\": {', '.join(other[:4])}; no setting is changed in place; {CURE}")
    mappings = {key: value for key, value in body.get("mappings", {}).items() if key != "_meta"}
    try:
        cluster.put(f"/{index}/_mapping", mappings, 60)
    except Denied as error:
        if error.status != 400:
            raise
        end(77, f"{index} can't take the mapping of \"{goal.version}\" in place: {error.reason}; {CURE}; nothing was changed")


def update(cluster, goal):
    body = indexes.body_of(goal.body)
    index, _ = indexes.serving(cluster, goal.alias)
    if index is None:
        end(77, f"{goal.alias} names no index; {CURE}, which makes it")
    said = indexes.about(cluster, index)
    noted = indexes.note_of(said)
    if noted.get("version") == goal.version and noted.get("sha256") == goal.sha and not noted.get("updating"):
        return f"{goal.alias} is {index}, version {goal.version}", {"updated": 0, "conflicts": 0}
    add_fields(cluster, goal, index, said, body)
    if not noted.get("updating") or noted.get("version") != goal.version:
        # What is written from here on has the new fields: only documents up to this number are to be done.
        top = max(indexes.checkpoints(cluster, index, last=True).values())
        ours = {"cluster": cluster.name, "alias": goal.alias, "served": True, "copied": True}
        indexes.note(cluster, index, **ours, version=goal.version, sha256=goal.sha, updating=True, top=top)
    top = indexes.note_of(indexes.about(cluster, index))["top"]
    updated = conflicts = 0
    for number in range(ROUNDS):
        keeper.require_claim()
        cluster.ask(f"/{index}/_refresh", {}, "POST", 60)
        result, _ = index_task.run(
            cluster,
            f"{index}/_update_by_query?conflicts=proceed&slices=auto&refresh=true",
            {"query": {"range": {"_seq_no": {"lte": top}}}},
            index_task.mark_of(cluster, goal.alias, goal.version),
            what=f"{index} is brought to version {goal.version}",
            rate=goal.number,
            seconds=UPDATE_S,
        )
        failed = index_task.failures_of(result)
        if failed:
            end(77, f"{index} is not whole at version {goal.version}: {failed}; correct these documents, then run npx pulumi up again")
        done = result["response"]
        updated, conflicts = updated + done["updated"], conflicts + done["version_conflicts"]
        if done["version_conflicts"] == 0:
            indexes.note(cluster, index, updating=False)
            prose = f"{index} is version {goal.version}: {updated} documents are indexed anew, {conflicts} were changed by programs meanwhile"
            return prose, {"updated": updated, "conflicts": conflicts, "rounds": number + 1}
    return end(75, f"{index}: programs changed documents in each of {ROUNDS} rounds ({conflicts} conflicts); run npx pulumi up again, it goes on")


if __name__ == "__main__":
    index_goal.main(__doc__, ("alias", "number", "version", "sha", "body"), update)

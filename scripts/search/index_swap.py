#!/usr/bin/env python3
"""Give an alias to the index of a version, without a lost change. The Python half of swap-index.sh.

Usage: index_swap.py CLUSTER ALIAS SECONDS VERSION HOW FROM     SECONDS: no longer writes are refused

Writes of the old index are blocked, the rest is copied, both are compared, and one request changes the alias. The block is a lease:
a watch ends it when this run dies, and then the swap is impossible (index_block.py). Ends with 0, 64, 75 or 77.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import index_block  # noqa: E402
import index_feed  # noqa: E402
import index_goal  # noqa: E402
import indexes  # noqa: E402
import keeper  # noqa: E402
import settings  # noqa: E402
from cluster import Denied, NoAnswer, end, narrate  # noqa: E402
from index_create import token_of  # noqa: E402

REQUEST_S = 30
BEFORE_S = 3600
ROUNDS = 5
# Requests that were on their way by the alias's old meaning find the block, not an old index that takes them.
AFTER_S = 1
KEPT = ("filter", "index_routing", "search_routing", "is_write_index", "is_hidden")
MARGIN_S = 5


class Unequal(Exception):
    """The two indexes are not the same, in words."""


def alias_moves(goal, source, definition, token):
    """One request: it fails as a whole when the token or the alias is not where it was."""
    kept = {key: definition[key] for key in KEPT if key in definition}
    return {
        "actions": [
            *([{"remove": {"index": goal.dest, "alias": token, "must_exist": True}}] if token else []),
            *([{"remove": {"index": source, "alias": goal.alias, "must_exist": True}}] if source else []),
            {"add": {"index": goal.dest, "alias": goal.alias, **kept}},
        ]
    }


def move(cluster, goal, source, definition, token, seconds):
    """Move the alias. An answer that was lost is looked for. @raise NoAnswer, Denied."""
    keeper.require_claim()
    try:
        cluster.ask("/_aliases", alias_moves(goal, source, definition, token), "POST", seconds)
    except NoAnswer:
        if goal.dest not in indexes.behind(cluster, goal.alias):
            raise


def compare(cluster, goal, source, deadline, real, copy):
    """Counts, ids and a sample are the same in both. Gives (documents, sampled). @raise Unequal in words."""
    said = indexes.count(cluster, source, deadline.left()), indexes.count(cluster, goal.dest, deadline.left())
    lacking, more = real - copy, copy - real
    if said[0] != said[1] or lacking or more:
        some = ", ".join(sorted(name for name, _ in lacking | more)[:3])
        raise Unequal(f"{goal.dest} has {said[1]} documents (expected: {said[0]}, as {source}); {len(lacking)} lack, {len(more)} are too many: {some}")
    changed = indexes.about(cluster, goal.dest)["settings"]
    if any(changed.get(f"index.{key}", "_none") != "_none" for key in ("default_pipeline", "final_pipeline")):
        return said[1], 0
    wrong, sampled = index_feed.differing(cluster, source, goal.dest, real, deadline)
    if wrong:
        raise Unequal(f"{len(wrong)} of {sampled} documents differ between {source} and {goal.dest}: {', '.join(wrong[:3])}")
    return said[1], sampled


def take_block(cluster, goal, source):
    """The lease first, so that a watch knows of the block before it is there. Gives the moment from which on writes may be refused."""
    blocked = indexes.about(cluster, source)["settings"].get("index.blocks.write") == "true"
    said = index_block.words_of(source, goal.dest, token_of(goal), not blocked)
    holder = settings.who(f"swap of {goal.alias}", goal.number + MARGIN_S)
    settings.take(cluster, goal.lease, holder | {"id": keeper.identity()}, more=said)
    return index_block.hold(cluster, said["block"])


def rounds(cluster, goal, source, since):
    """While programs go on: changes, then deletes, so that little is left to the block."""
    deadline = index_feed.Deadline(BEFORE_S)
    index_feed.remove_gone(cluster, source, goal.dest, deadline)
    for _ in range(ROUNDS):
        since, copied = index_feed.catch_up(cluster, source, goal.dest, since, deadline)
        indexes.note(cluster, goal.dest, since=since)
        if copied < index_feed.PAGE:
            break
    return since


def blocked_part(cluster, goal, source, definition, since):
    """All that happens while writes are refused. Gives pairs for the receipt."""
    deadline = index_feed.Deadline(goal.number)
    _, copied = index_feed.catch_up(cluster, source, goal.dest, since, deadline, last=True)
    real, copy, gone = index_feed.remove_gone(cluster, source, goal.dest, deadline)
    cluster.ask(f"/{goal.dest}/_refresh", {}, "POST", deadline.left())
    documents, sampled = compare(cluster, goal, source, deadline, real, copy)
    back = indexes.checkpoints(cluster, goal.dest)
    move(cluster, goal, source, definition, token_of(goal), deadline.left(REQUEST_S))
    return {"documents": documents, "sampled": sampled, "last_changes": copied, "last_deletes": gone}, back


def with_block(cluster, goal, source, definition, since):
    try:
        began = take_block(cluster, goal, source)
        pairs, back = blocked_part(cluster, goal, source, definition, since)
        pairs["blocked_ms"] = round(1000 * (time.monotonic() - began))
        keep_way_back(cluster, goal, source, back)
        time.sleep(AFTER_S)
        return pairs
    except (Unequal, Denied) as error:
        if goal.dest not in indexes.behind(cluster, token_of(goal)):
            end(75, f"the block of {source} was ended by its watch or by a person before the swap; {goal.alias} is as it was; run npx pulumi up again")
        if isinstance(error, Denied):
            raise
        end(77, f"{error}; {goal.alias} is as it was; see docs/runbook.md, \"a reindex stands still\"")
    except index_feed.Late:
        end(75, f"{goal.dest} was not equal to {source} after {goal.number} s, so writes go on and {goal.alias} is as it was; run npx pulumi up again, or raise maxBlockSeconds")
    finally:
        give_back(cluster, goal)


def keep_way_back(cluster, goal, source, back):
    """What the new index takes from here on is all that the old one will lack. An older number of it is right too: more is copied."""
    if indexes.is_ours(cluster, goal.alias, indexes.about(cluster, source)):
        here = indexes.uuid_of(indexes.about(cluster, goal.dest))
        indexes.note(cluster, source, source=here, since=back, copied=True)


def give_back(cluster, goal):
    """End the block; asked again while nobody answers, as the watch does when this fails too."""
    for attempt in range(10):
        try:
            settings.give_back(cluster, goal.lease, keeper.identity())
            return
        except (NoAnswer, Denied) as error:
            narrate(f"the block of {goal.alias} is not taken away, tried again: {error}")
            time.sleep(0.5 * (attempt + 1))
    narrate(f"a watch takes the block of {goal.alias} away within {goal.number + MARGIN_S + 15} s")


def imported(cluster, goal, source, definition):
    """The alias of an import: the other cluster was read only, and its count is what the task has found there."""
    cluster.ask(f"/{goal.dest}/_refresh", {}, "POST", REQUEST_S)
    noted, documents = indexes.note_of(indexes.about(cluster, goal.dest)), indexes.count(cluster, goal.dest)
    if documents != noted.get("total"):
        end(77, f"{goal.dest} has {documents} documents (expected: {noted.get('total')}, as {goal.origin} had); {goal.alias} is as it was; run npx pulumi up --replace for this transition's id")
    move(cluster, goal, source, definition, None, REQUEST_S)
    return {"documents": documents, "sampled": 0, "blocked_ms": 0}


def swap(cluster, goal):
    settings.outwait(cluster, goal.lease, keeper.identity())
    give_back(cluster, goal)
    source, definition = indexes.serving(cluster, goal.alias)
    if source == goal.dest:
        indexes.note(cluster, goal.dest, served=True)
        return f"{goal.alias} is {goal.dest}", {"documents": indexes.count(cluster, goal.dest), "blocked_ms": 0}
    there = indexes.about(cluster, goal.dest)
    noted = indexes.note_of(there)
    if not noted.get("copied"):
        end(77, f"{goal.dest} is no whole copy of {source or goal.origin}; run npx pulumi up --replace for this transition's id")
    if goal.how == "import":
        pairs = imported(cluster, goal, source, definition)
    else:
        if source is None or noted.get("source") != indexes.uuid_of(indexes.about(cluster, source)):
            end(77, f"{goal.alias} is {source or 'no index'} now, and {goal.dest} is a copy of another one; run npx pulumi up --replace for this transition's id")
        since = rounds(cluster, goal, source, noted["since"])
        keeper.require_claim()
        pairs = with_block(cluster, goal, source, definition, since)
    indexes.note(cluster, goal.dest, served=True)
    seconds = pairs["blocked_ms"] / 1000
    how = f"{pairs['sampled']} of them compared; writes were refused for {seconds:.1f} s" if goal.how != "import" else f"as many as {goal.origin} had"
    return f"{goal.alias} is {goal.dest} now (was: {source or 'none'}), {pairs['documents']} documents, {how}", pairs


if __name__ == "__main__":
    index_goal.main(__doc__, ("alias", "number", "version", "how", "origin"), swap)

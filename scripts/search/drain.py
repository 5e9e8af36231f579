#!/usr/bin/env python3
"""Empty a node of a search cluster, and say how far that is.

Usage: drain.py CLUSTER begin NODE SECONDS MIBPS   exclude NODE, for SECONDS from the last look on; MIBPS 0: speed as found
       drain.py CLUSTER show NODE act|look        one look; `act` renews the lease and nudges the allocator
       drain.py CLUSTER wait NODE MINUTES         looks until NODE is drained
       drain.py CLUSTER cancel NODE               give back what `begin` changed; exclusions of others stay
       drain.py CLUSTER finish NODE               the same for a node that has stopped

Prints a line of prose, then key=value a line. Ends with 0, with 75 when it goes on, with 77 when a person must decide.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import allocation  # noqa: E402
import exclusion  # noqa: E402
import leftover  # noqa: E402
import progress  # noqa: E402
import room  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from sizes import some_of  # noqa: E402
from waiting import NUDGE  # noqa: E402

# Shards that are explained in one look: enough for words, and a fraction of a second.
EXPLAINED = 24
PAUSE_S = 3
# So long nothing may move while every copy is stuck before a person is asked.
STUCK_S = 10
# Copies that move so long and none arrives: their target does not take them.
AGAIN_S = 60
RECOVERIES = (
    "/_recovery?active_only=true&filter_path=*.shards.type,*.shards.source.id,*.shards.index.size.recovered_in_bytes"
)


def record_of(node):
    root = os.environ.get("CHANGEOVER_ROOT", "/var/lib/changeover")
    return f"{root}/{os.environ.get('CHANGEOVER_COMPONENT', 'search')}/drain-{node}.json"


def look(cluster, node, lease):
    """One look: what is left, what moves, what blocks. lease: `exclusion.of()`, None without one. @raise NoAnswer, Denied."""
    seen = allocation.view(cluster)
    own = allocation.named(seen["nodes"], node)
    on = leftover.on_node(seen, own)
    taken = leftover.recovered_of(cluster.ask(RECOVERIES), own) if on else 0
    left = max(sum(copy["bytes"] for copy in on if copy["node"] == own) - taken, 1 if on else 0)
    still = [copy for copy in on if copy["node"] == own and copy["state"] == "STARTED"][:EXPLAINED]
    unbuilt = leftover.unbuilt(seen)
    asked = [copy for copy in unbuilt if copy["state"] == "UNASSIGNED" and not copy["delayed"]][:EXPLAINED]
    said = allocation.explain(cluster, [*still, *asked])
    words, stuck = leftover.reasons(list(zip(still, said)), seen)
    answers = {allocation.key_of(copy): one for copy, one in zip(asked, said[len(still) :])}
    wanted = [copy for copy in unbuilt if leftover.is_wanted(copy, answers.get(allocation.key_of(copy)))]
    spot = leftover.only_in_spot(seen, cluster.facts)
    total = max(left, (lease or {}).get("total", 0))
    path = record_of(node)
    began = (lease or {}).get("began", "")
    looks = progress.with_look(progress.read(path, began), time.time(), left if on else 0)
    progress.write(path, began, looks)
    return {
        "here": own is not None,
        "copies": len(on),
        "left": left if on else 0,
        "total": total,
        "rate": progress.rate(looks),
        "moving": sum(1 for copy in on if copy["state"] == "RELOCATING"),
        "words": words,
        "stuck": stuck,
        "wanted": sorted({allocation.label(copy) for copy in wanted}),
        "delayed": any(copy["delayed"] for copy in wanted),
        "spot": spot,
        "drained": not on and not wanted and not spot,
    }


def state_words(node, now):
    """`es4: draining 31 %, …`, with what blocks it."""
    if now["drained"]:
        gone = "" if now["here"] else "; it is not in the cluster"
        return f"{node} is drained: no shard copy is on it{gone}"
    parts = []
    if now["copies"]:
        parts.append(f"{node}: draining {progress.words(now['left'], now['total'], now['rate'])}, {now['copies']} copies, {now['moving']} move")
    elif not now["here"]:
        parts.append(f"{node} is not in the cluster, and its copies are not all rebuilt")
    else:
        parts.append(f"{node} holds no shard copy, but is not drained yet")
    if now["wanted"]:
        late = "; delayed until its node counts as lost" if now["delayed"] else ""
        parts.append(f"copies to build: {some_of(now['wanted'])}{late}")
    if now["spot"]:
        parts.append(f"{some_of(now['spot'])}: every copy is in the spot zone; add a replica or a safe node, or accept it: accept.<index>: <reason>")
    parts += now["words"][:3]
    return ". ".join(parts)


def tail(now):
    speed = now["rate"]
    rest = progress.eta(now["left"], speed)
    pairs = {
        "drained": "yes" if now["drained"] else "no",
        "percent": progress.percent(now["left"], now["total"]),
        "left_bytes": now["left"],
        "total_bytes": now["total"],
        **({} if speed is None else {"bytes_per_second": round(speed)}),
        **({} if rest is None else {"eta_seconds": round(rest)}),
        "blocked": "yes" if now["stuck"] else "no",
    }
    return "\n".join(f"{key}={value}" for key, value in pairs.items())


def say(node, now, more=""):
    print(f"{state_words(node, now)}{more}\n{tail(now)}")


def nudge(cluster):
    """The end of a snapshot starts no shard, and five failures stop one for good: both need this."""
    try:
        cluster.ask(NUDGE, {}, "POST", 30)
    except (NoAnswer, Denied) as error:
        narrate(f"{cluster.name} was not nudged: {error}")


def begin(cluster, node, seconds, mibps):
    seen = allocation.view(cluster)
    lease = exclusion.of(cluster, node)
    if lease is None:
        if seen["snapshots"]:
            end(77, f"snapshot {some_of(seen['snapshots'])} is running, so {node} can't be emptied now; run npx pulumi up when it has ended")
        judged = room.ask(cluster, [node], seen)
        if not judged["feasible"]:
            end(77, room.refusal([node], judged))
        exclusion.begin(cluster, seen, node, seconds, mibps, judged)
    else:
        exclusion.go_on(cluster, seen, node, seconds, mibps)
    nudge(cluster)
    say(node, look(cluster, node, exclusion.of(cluster, node)))


def act_on(cluster, node):
    """Renew the lease, put an exclusion back that somebody overwrote, nudge. Words of what is wrong with the lease."""
    lease = exclusion.of(cluster, node)
    if lease is None:
        return None, f". {node} is not excluded: no drain of it was begun, or its lease ran out"
    exclusion.renew(cluster, allocation.view(cluster), node, lease)
    nudge(cluster)
    return lease, ""


def show(cluster, node, how):
    try:
        lease, more = act_on(cluster, node) if how == "act" else (exclusion.of(cluster, node), "")
        say(node, look(cluster, node, lease), more)
    except (NoAnswer, Denied) as error:
        print(f"{node}: {cluster.name} does not say how far it is: {error}\ndrained=no")


def wait(cluster, node, minutes):
    """Look until the node is drained, 3 s between looks."""
    deadline = time.monotonic() + minutes * 60
    since, least, now = time.monotonic(), None, None
    arrived, fewest = time.monotonic(), None
    while True:
        said = ""
        try:
            lease, more = act_on(cluster, node)
            now = look(cluster, node, lease)
            said = f"{state_words(node, now)}{more}"
            if now["drained"]:
                say(node, now)
                return
            if lease is None and now["here"]:
                end(77, f"{said}; start again: npx pulumi up --replace '**::{os.environ.get('CHANGEOVER_COMPONENT', '')}-*-id'")
            if fewest is None or now["left"] < fewest:
                arrived, fewest = time.monotonic(), now["left"]
            elif now["moving"] and time.monotonic() - arrived > AGAIN_S:
                said += f". No copy has arrived for {time.monotonic() - arrived:.0f} s: the log of the node that takes them says why"
            narrate(said)
            if least is None or now["left"] < least or now["moving"] or not (now["stuck"] or is_only_spot(now)):
                since, least = time.monotonic(), now["left"]
            elif time.monotonic() - since > STUCK_S:
                end(77, said)
        except (NoAnswer, Denied) as error:
            said = f"{node}: {cluster.name} does not say how far it is: {error}"
            narrate(said)
        if time.monotonic() > deadline:
            end(75, f"{said}; run npx pulumi up again, it goes on")
        time.sleep(PAUSE_S)


def is_only_spot(now):
    return bool(now["spot"]) and not now["copies"] and not now["wanted"]


def cancel(cluster, node):
    had = exclusion.give_back(cluster, node)
    nudge(cluster)
    remove_record(node)
    print(f"{node} may have shards again" if had else f"{node} was not being emptied; nothing is changed")


def finish(cluster, node):
    """For a node that has stopped: a new machine on its address must get shards."""
    seen = allocation.view(cluster)
    if allocation.named(seen["nodes"], node):
        end(77, f"{node} is still in {cluster.name} (expected: stopped); stop it first")
    lost = sorted({allocation.label(copy) for copy in seen["copies"] if copy["primary"] and copy["state"] == "UNASSIGNED" and copy["why"] != leftover.NEW})
    if lost:
        end(77, f"{some_of(lost)} has no copy in {cluster.name} any more; start {node} again: its disk may hold the last one")
    had = exclusion.give_back(cluster, node)
    remove_record(node)
    print(f"{node} has left {cluster.name}{': its exclusion is taken away' if had else ''}")


def remove_record(node):
    try:
        os.remove(record_of(node))
    except OSError:
        pass


VERBS = {"begin": (begin, 5), "show": (show, 4), "wait": (wait, 4), "cancel": (cancel, 3), "finish": (finish, 3)}


def main():
    words = sys.argv[1:]
    if len(words) < 3 or words[0].startswith("-") or words[1] not in VERBS or len(words) != VERBS[words[1]][1]:
        print(__doc__)
        sys.exit(0 if words == ["--help"] else 64)
    facts = load(words[0])
    verb, node = words[1:3]
    numbers = words[3:] if verb == "show" else [int(word) for word in words[3:]]
    if node not in facts["nodes"] and verb not in ("cancel", "finish"):
        end(64, f'"{node}" is no node of {facts["cluster"]}; its nodes: {", ".join(sorted(facts["nodes"]))}')
    # A node that is about to leave is asked last: it may be gone in the next moment.
    cluster = Cluster(facts)
    try:
        VERBS[verb][0](cluster, node, *numbers)
    except (NoAnswer, Denied) as error:
        end(75, f"{node}: {facts['cluster']} does not answer: {error}; run npx pulumi up again")


if __name__ == "__main__":
    main()

"""What the shards of a search cluster allow: which are covered without a node, whether all is settled, and who may vote.

`state` is the answer to STATE. Its routing table counts, since the colour and `_cat` lie after stops and cuts.
"""

from concurrent.futures import ThreadPoolExecutor

import scratch
from cluster import Denied, NoAnswer

STATE = (
    "/_cluster/state/routing_table,nodes,metadata,master_node?filter_path=cluster_uuid,master_node,nodes.*.name,nodes.*.ephemeral_id,"
    "nodes.*.attributes,metadata.cluster_coordination,metadata.indices.*.settings.index.number_of_replicas,metadata.indices.*.settings.index.auto_expand_replicas,"
    "metadata.indices.*.state,routing_table.indices.*.shards.*.state,routing_table.indices.*.shards.*.node,"
    "routing_table.indices.*.shards.*.primary,routing_table.indices.*.shards.*.relocating_node"
)
# Copies that serve. The source of a move is in sync until its target has started.
SERVING = ("STARTED", "RELOCATING")
# Deciders whose NO waiting does not cure: the engine's own rules of where a copy may be.
LASTING = ("node_version", "same_shard", "awareness", "filter", "shards_limit")
EXPLAINED_MOST = 200


def named(state, name):
    """The id of a node in the cluster; None when it is not there."""
    return next((node for node, about in state.get("nodes", {}).items() if about.get("name") == name), None)


def shards_of(state):
    """Each shard as ((index, number), its copies)."""
    for index, table in state.get("routing_table", {}).get("indices", {}).items():
        for number, copies in table.get("shards", {}).items():
            yield (index, int(number)), copies


def replicas_of(state, index):
    about = state.get("metadata", {}).get("indices", {}).get(index, {})
    return int(about.get("settings", {}).get("index", {}).get("number_of_replicas", 1))


def serving(copies):
    return [copy for copy in copies if copy["state"] in SERVING]


def zone_of(state, facts, node):
    """The zone of a node: what it says itself, else what the stack file says."""
    about = state.get("nodes", {}).get(node, {})
    own = about.get("attributes", {}).get(facts["attribute"])
    return own or facts["nodes"].get(about.get("name"), {}).get("zone")


def is_spot(state, facts, node):
    return zone_of(state, facts, node) in facts["spot_zones"]


class Cover:
    """What stopping a node would do.

    waits: shards that would have no copy that serves, and whose other copy may still come. single: indexes without replicas
    that have a shard on the node. accepted: those of them that the stack file accepts. risky: shards left to spot zones alone.
    """

    def __init__(self):
        self.waits, self.single, self.accepted, self.risky = [], [], [], []


def cover(state, facts, name, safe_only=False):
    """What stopping node `name` would do to each shard. safe_only: copies in spot zones count for nothing."""
    own, result = named(state, name), Cover()
    accepted = set(facts.get("accept", ()))
    # What a rehearsal left when it died goes away by itself, and nobody reads it.
    rehearsed = scratch.prefix_of(facts.get("cluster", ""))
    for (index, number), copies in shards_of(state):
        good = serving(copies)
        others = [copy for copy in good if copy["node"] != own]
        safe = [copy for copy in others if not is_spot(state, facts, copy["node"])]
        here = own is not None and any(own in (copy["node"], copy.get("relocating_node")) for copy in copies)
        if (safe if safe_only else others) or (good and not here):
            if here and others and not safe and not safe_only:
                result.risky.append((index, number))
        elif index in accepted or index.startswith(rehearsed):
            if here:
                result.accepted.append(index)
        elif good and replicas_of(state, index) == 0:
            result.single.append(index)
        else:
            result.waits.append((index, number))
    result.single = sorted(set(result.single))
    result.accepted = sorted(set(result.accepted))
    return result


def words_of(shards, most=5):
    """Shards as `index[0]`, the first of them by name, and how many more."""
    names = [f"{one[0]}[{one[1]}]" for one in sorted(shards)]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


class Votes:
    """Who elects the manager: ids of the committed configuration; `alive` without the node that is to stop."""

    def __init__(self, state, without=None):
        said = state.get("metadata", {}).get("cluster_coordination", {})
        out = {one.get("node_id") for one in said.get("voting_config_exclusions", [])}
        self.config = [node for node in said.get("last_committed_config", []) if node not in out]
        own = named(state, without) if without else None
        self.votes = own in self.config
        self.alive = [node for node in self.config if node != own and node in state.get("nodes", {})]

    def hold(self):
        """Whether the votes left are more than half."""
        return 2 * len(self.alive) > len(self.config)


def health(cluster, seconds=10):
    return cluster.ask(f"/_cluster/health?{cluster.dialect['patience']}={seconds}s", seconds=seconds + 2)


def unassigned(state):
    """((index, number), copies that are nowhere) of each shard that has one."""
    for shard, copies in shards_of(state):
        missing = [copy for copy in copies if copy["state"] == "UNASSIGNED"]
        if missing:
            yield shard, missing


def lasting(said):
    """Why a copy stays unassigned however long one waits, as deciders; None when it may still come.

    said: the answer of allocation explain. Each node must have a NO of LASTING; a THROTTLE ends by itself.
    """
    if said.get("can_allocate") not in ("no", None):
        return None
    found = set()
    for node in said.get("node_allocation_decisions") or []:
        why = {one["decider"] for one in node.get("deciders", []) if one["decision"] == "NO" and one["decider"] in LASTING}
        if not why:
            return None
        found |= why
    return sorted(found) or None


def explain(cluster, shards):
    """Allocation explain of a replica of each shard, eight at once. An answer that fails says nothing: `{}`."""

    def ask(shard):
        try:
            return cluster.ask("/_cluster/allocation/explain", {"index": shard[0], "shard": shard[1], "primary": False})
        except (Denied, NoAnswer):
            return {}

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, shards))


def waits_for(said):
    """Deciders that say NO or THROTTLE about a copy, for words."""
    decisions = [one for node in said.get("node_allocation_decisions") or [] for one in node.get("deciders", [])]
    return sorted({one["decider"] for one in decisions if one["decision"] != "YES"}) or [said.get("can_allocate") or "no answer"]


def moving(found):
    """What of the health says that something still moves, in words; "" when nothing does."""
    parts = {
        "relocating": found["relocating_shards"],
        "starting": found["initializing_shards"],
        "delayed": found["delayed_unassigned_shards"],
        "being fetched": found["number_of_in_flight_fetch"],
    }
    words = [f"{count} {word}" for word, count in parts.items() if count]
    tasks = found["number_of_pending_tasks"]
    return ", ".join(words + ([f"{tasks} tasks of the manager pending"] if tasks else []))


def settled(cluster):
    """(whether all shards are where they will stay, words): green, or yellow with copies that no waiting can place.

    The words name each decider and its indexes. @raise NoAnswer, Denied
    """
    found = health(cluster)
    busy = moving(found)
    if found["status"] == "green":
        return not busy, busy or "green"
    if busy:
        return False, f"{found['status']}: {busy}"
    if found["status"] == "red":
        red = [shard for shard, copies in shards_of(cluster.ask(STATE)) if not serving(copies)]
        return False, f"red: {words_of(red)} has no copy that serves"
    missing = [shard for shard, _ in unassigned(cluster.ask(STATE))]
    reasons, open_ones = {}, []
    for shard, said in zip(missing, explain(cluster, missing[:EXPLAINED_MOST])):
        why = lasting(said)
        if why is None:
            open_ones.append(f"{shard[0]}[{shard[1]}] ({', '.join(waits_for(said))})")
        else:
            reasons.setdefault(", ".join(why), set()).add(shard[0])
    if open_ones or not missing:
        return False, f"yellow: {', '.join(open_ones[:3]) or 'copies are being placed'}"
    words = "; ".join(f"{', '.join(sorted(names)[:5])}: {why}" for why, names in sorted(reasons.items()))
    return True, f"yellow, and stays so: {words}"

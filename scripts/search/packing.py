"""Where the shard copies of leaving nodes may go. Pure: works on `allocation.view()` and its explanations."""

from allocation import key_of, label
from sizes import reserve_of

LOW = "cluster.routing.allocation.disk.watermark.low"
CHECKED = "cluster.routing.allocation.disk.threshold_enabled"
AWARENESS = "cluster.routing.allocation.awareness.attributes"
FORCED = "cluster.routing.allocation.awareness.force."
TOTAL = "cluster.routing.allocation.total_shards_per_node"
# What moving the copies of a shard does to it is worked out here, for all leaving nodes together.
OURS = ("awareness",)


def attributes_of(settings):
    """Attributes that copies are spread over, with their forced values: {attribute: [value…]}."""
    names = [name.strip() for name in str(settings.get(AWARENESS) or "").split(",") if name.strip()]
    return {
        name: [value.strip() for value in str(settings.get(f"{FORCED}{name}.values") or "").split(",") if value.strip()]
        for name in names
    }


def room_below(disk, settings):
    """Bytes that a node can take and stay below its low watermark. Without the check: what is free."""
    if disk is None:
        return 0
    if str(settings.get(CHECKED, "true")) == "false":
        return disk["free"]
    return disk["free"] - reserve_of(settings.get(LOW, "85%"), disk["total"])


class Floor:
    """The nodes that stay, and what is still free on them while copies are given places."""

    def __init__(self, seen, leaving, spot, attribute):
        self.nodes = seen["nodes"]
        self.settings = seen["settings"]
        self.targets = [node for node, said in self.nodes.items() if said["data"] and node not in leaving]
        self.spot = {node for node, said in self.nodes.items() if said["attributes"].get(attribute) in spot}
        self.room = {node: room_below(seen["disks"].get(node), self.settings) for node in self.targets}
        self.limits = seen["limits"]
        most = int(self.settings.get(TOTAL) or -1)
        self.most = most if most > 0 else None
        self.counts = dict.fromkeys(self.targets, 0)
        self.by_index = {}
        self.spread = attributes_of(self.settings)
        for copy in seen["copies"]:
            at = copy["to"] or copy["node"]
            if at in self.counts:
                # What is there already is no longer free.
                self.take(copy if copy["to"] or copy["state"] == "INITIALIZING" else {**copy, "bytes": 0}, at, 1)

    def take(self, copy, node, times):
        """Give a copy a place, or take it back with -1."""
        self.room[node] -= times * copy["bytes"]
        self.counts[node] += times
        self.by_index[copy["index"], node] = self.by_index.get((copy["index"], node), 0) + times

    def values(self, attribute):
        """Values of an attribute that the allocator counts: of all data nodes, and the forced ones."""
        live = {said["attributes"].get(attribute) for said in self.nodes.values() if said["data"]}
        return (live - {None}) | set(self.spread[attribute])

    def most_in_one(self, attribute, copies):
        return -(-copies // max(1, len(self.values(attribute))))

    def is_spread(self, places, node, copies):
        """Whether a copy on `node` keeps the copies at `places` spread as awareness demands."""
        for attribute in self.spread:
            value = self.nodes[node]["attributes"].get(attribute)
            if value is None:
                return False
            there = sum(self.nodes[place]["attributes"].get(attribute) == value for place in places)
            if there + 1 > self.most_in_one(attribute, copies):
                return False
        return True

    def against(self, copy, node, places, copies, deciders, spread):
        """(decider, explanation) that keep a copy off a node; empty: it may go there."""
        found = [(name, why) for name, kind, why in deciders if kind == "NO" and name not in OURS]
        if node in places:
            found.append(("same_shard", "another copy of the shard goes there"))
        if self.most is not None and self.counts[node] >= self.most:
            found.append(("shards_limit", f"{TOTAL} is {self.most}"))
        limit = self.limits.get(copy["index"])
        if limit is not None and self.by_index.get((copy["index"], node), 0) >= limit:
            found.append(("shards_limit", f"index.routing.allocation.total_shards_per_node of {copy['index']} is {limit}"))
        if spread and not self.is_spread([place for place in places if place], node, copies):
            found.append(("awareness", f"too many copies for {', '.join(self.spread)}"))
        if copy["bytes"] > self.room[node]:
            found.append(("disk_threshold", f"{max(0, self.room[node])} bytes below the low watermark"))
        return list(dict.fromkeys(found))


def is_guarded(floor, copies, assigned, spot_left, spread):
    """Whether awareness alone keeps one copy out of the spot zone, wherever the allocator puts the others."""
    if not spread:
        return False
    for attribute in floor.spread:
        values = {floor.nodes[node]["attributes"].get(attribute) for node in spot_left}
        outside = floor.values(attribute) - values
        if outside and len(values) * floor.most_in_one(attribute, copies) < assigned:
            return True
    return False


class Shard:
    """One shard whose copies leave: finds places for them, all or as many as there are."""

    # Steps of a search: a shard has few copies, and its search ends long before.
    STEPS = 2000

    def __init__(self, floor, group, leaving, explained, accepted, spread):
        self.floor = floor
        self.copies = len(group)
        self.staying = [at for copy in group if (at := copy["to"] or copy["node"]) and at not in leaving]
        self.moving = [copy for copy in group if copy["node"] in leaving and (not copy["to"] or copy["to"] in leaving)]
        expands = group[0].get("expands")
        if expands:
            # The engine itself takes copies away when nodes leave; as many as the nodes that stay need a place.
            fewest, most = expands
            wanted = max(fewest + 1, len(floor.targets) if most is None else min(most + 1, len(floor.targets)))
            self.moving = self.moving[: max(0, wanted - len(self.staying))]
        self.deciders = {key_of(copy): explained.get(key_of(copy), {}) for copy in self.moving}
        self.accepted = accepted
        self.spread = spread
        self.steps = 0

    def against(self, copy, places):
        said = self.deciders[key_of(copy)]
        return {
            node: self.floor.against(copy, node, places, self.copies, said.get(node, []), self.spread)
            for node in self.floor.targets
        }

    def is_safe(self, places):
        return self.accepted or any(node not in self.floor.spot for node in places)

    def search(self, todo, places):
        """Places for all copies of `todo`, with one outside the spot zones; None when there are none."""
        self.steps += 1
        if not todo:
            return places if self.is_safe(places) else None
        copy, floor = todo[0], self.floor
        free = [node for node, found in self.against(copy, places).items() if not found]
        for node in sorted(free, key=lambda one: (one in floor.spot and not self.is_safe(places), -floor.room[one])):
            if self.steps > self.STEPS:
                return None
            floor.take(copy, node, 1)
            found = self.search(todo[1:], [*places, node])
            if found is not None:
                return found
            floor.take(copy, node, -1)
        return None

    def blockers(self):
        """Copies one after the other, each where it may go: (copy, {node: [(decider, why)]}, kind) for the others."""
        places, blocked = list(self.staying), []
        for copy in self.moving:
            against = self.against(copy, places)
            free = [node for node, found in against.items() if not found]
            if free:
                chosen = max(free, key=lambda node: (node not in self.floor.spot, self.floor.room[node]))
                self.floor.take(copy, chosen, 1)
                places.append(chosen)
            else:
                blocked.append((copy, against, "place"))
        return blocked or [(self.moving[-1], self.against(self.moving[-1], self.staying), "spot")]

    def risk(self):
        """Spot nodes that may get every copy: the allocator chooses, not this packing."""
        floor = self.floor
        if self.accepted or any(node not in floor.spot for node in self.staying):
            return []
        may = set(self.staying)
        for copy in self.moving:
            may |= {node for node in floor.targets if node in floor.spot and not forbidden(self.deciders[key_of(copy)], node)}
        assigned = len(self.staying) + len(self.moving)
        if len(may) < assigned or is_guarded(floor, self.copies, assigned, may, self.spread):
            return []
        return [(self.moving[-1], {node: [] for node in sorted(may)}, "risk")]

    def settle(self):
        """Take places on the floor. Returns what blocks."""
        order = sorted(self.moving, key=lambda copy: (choices(copy, self.floor, self.deciders), -copy["bytes"]))
        return self.blockers() if self.search(order, self.staying) is None else self.risk()


def forbidden(said, node):
    return any(kind == "NO" and name not in OURS for name, kind, _ in said.get(node, []))


def choices(copy, floor, explained):
    """How many nodes the allocator's own word leaves to a copy."""
    return sum(not forbidden(explained.get(key_of(copy), {}), node) for node in floor.targets)


def pack(seen, leaving, explained, spot, attribute, accept, spread):
    """Place all copies of leaving nodes. Returns (blockers, floor); fewest blockers of two orders.

    Largest first fills disks well; fewest choices first keeps the only place of a copy for it.
    explained: {key_of(copy): {node: deciders}}. spread: whether awareness stays in force.
    """
    goal = (seen, leaving, explained, spot, attribute, accept, spread)
    first = pack_by(lambda copy, _: -copy["bytes"], *goal)
    if not first[0]:
        return first
    second = pack_by(lambda copy, floor: (choices(copy, floor, explained), -copy["bytes"]), *goal)
    return second if len(second[0]) < len(first[0]) else first


def pack_by(order, seen, leaving, explained, spot, attribute, accept, spread):
    floor = Floor(seen, leaving, spot, attribute)
    groups = {}
    for copy in seen["copies"]:
        groups.setdefault(label(copy), []).append(copy)
    shards = [Shard(floor, group, leaving, explained, group[0]["index"] in accept, spread) for group in groups.values()]
    work = [shard for shard in shards if shard.moving]
    blocked = []
    for shard in sorted(work, key=lambda one: min(order(copy, floor) for copy in one.moving)):
        blocked += shard.settle()
    return blocked, floor

#!/usr/bin/env python3
"""Bring a broken search cluster up: hold allocation, start nodes that are not in, let go and see. The Python half of *-rescue.sh.

Usage: rescue.py CLUSTER begin          what is broken, in words; allocation is held, when there is a manager to ask
       rescue.py CLUSTER node TURN      this host's node; TURN: first, where others need it, or then
       rescue.py CLUSTER end            allocation as found, failed copies tried again; settled, or why it stays red

Works without a manager, and when nodes give no answer. No data is deleted, and no primary is made of an empty or older copy: what a
person may do is said with its loss. Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
import leases  # noqa: E402
import red  # noqa: E402
import settings  # noqa: E402
import shards  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from node_unit import Failed, Unit, output, reason_in  # noqa: E402
from waiting import NUDGE, limits  # noqa: E402

VIEW = "/_cluster/state/nodes,master_node?local=true&filter_path=master_node,nodes.*.name"
LOOK_S = 3
# So long a node that answers may wait for others before the next one is started.
ALONE_S = 12
# So long a red cluster in which nothing moves is waited for.
RED_S = 20


class Seen:
    """Who answers now, whom they see, and a way to ask those alone."""

    def __init__(self, facts):
        everybody = Cluster(facts)
        self.members = everybody.members("in", "drained")
        with ThreadPoolExecutor(8) as pool:
            views = dict(zip(self.members, pool.map(lambda name: self.view(everybody, name), self.members)))
        self.answering = [name for name in self.members if views[name] is not None]
        self.managed = {name: view for name, view in views.items() if view and view[0]}
        self.inside = set().union(*[view[1] for view in self.managed.values()]) if self.managed else set()
        self.missing = [name for name in self.members if name not in self.inside]
        self.cluster = Cluster(facts, [name for name in facts["nodes"] if name not in self.answering])

    @staticmethod
    def view(cluster, name):
        """(manager or None, names it sees); None when it gives no answer."""
        try:
            said = cluster.at(name, VIEW, seconds=LOOK_S)
        except (NoAnswer, Denied):
            return None
        nodes = said.get("nodes", {})
        return nodes.get(said.get("master_node"), {}).get("name"), {about["name"] for about in nodes.values()}

    def words(self):
        if not self.managed:
            return f"no node sees a manager; answering: {', '.join(self.answering) or 'none'}"
        managers = sorted({view[0] for view in self.managed.values()})
        return f"manager {', '.join(managers)}; not in: {', '.join(self.missing) or 'none'}"


def hold(seen):
    """Whether allocation is held by this run. Without a manager nothing is placed anyway, and nobody can be asked."""
    if not seen.managed:
        return False
    try:
        who = settings.who("rescue", keeper.ALLOCATION_S)
        settings.take(seen.cluster, keeper.ALLOCATION, who, {leases.ENABLE: seen.cluster.dialect["window"]})
        return True
    except (NoAnswer, Denied) as error:
        narrate(f"allocation of {seen.cluster.name} is not held: {error}")
        return False


def begin(facts):
    seen = Seen(facts)
    narrate(seen.words())
    held = hold(seen)
    lost = red.shards_now(seen.cluster) if seen.managed else []
    parts = [seen.words()]
    parts += [f"red: {shards.words_of(lost)}"] if lost else []
    parts += [f"allocation is held ({seen.cluster.dialect['window']})" if held else "allocation is not held, since no manager can be asked"]
    return "; ".join(parts), {"held": "yes" if held else "no", "missing": ",".join(seen.missing), "red": len(lost)}


class Node:
    """This host's node, when it is not in."""

    def __init__(self, facts, turn):
        self.facts, self.turn, self.own = facts, turn, facts["node"]
        self.unit, self.seconds = Unit(facts["cluster"]), limits(facts)
        self.held = False
        self.keeper = None

    def needed_first(self, seen):
        if not seen.managed:
            return "manager" in self.facts["nodes"][self.own]["roles"]
        return bool(red.on_disk(self.facts, red.uuids_now(seen.cluster)))

    def keep(self, seen):
        if not self.held and hold(seen):
            self.held, self.keeper = True, keeper.Keeper(seen.cluster)
            self.keeper.names.append(keeper.ALLOCATION)

    def run(self):
        seen = Seen(self.facts)
        if self.own not in seen.members or self.unit.link("current") is None:
            return f"{self.own} has no node of {self.facts['cluster']} to start", {"up": "none"}
        self.keep(seen)
        try:
            if self.own in seen.inside:
                return f"{self.own} is in", {"up": "yes"}
            if self.turn == "first" and not self.needed_first(seen):
                return f"{self.own} is not in; others come first", {"up": "later"}
            return self.start(seen)
        finally:
            if self.keeper:
                self.keeper.stop()

    def start(self, seen):
        runs = self.unit.runs()
        if runs and self.patient():
            return self.joined_words("runs")
        said = last_words(output("journalctl", "-u", self.unit.name, "-o", "cat", "--no-pager", "-n", "400"))
        narrate(f"{self.own} is not in; its log: {said}")
        keeper.require_claim()
        try:
            if runs:
                narrate(f"{self.own} runs and does not join; stopping it")
                self.unit.stop(self.seconds["stop"])
            narrate(f"starting {self.own}")
            self.unit.start()
            self.wait(self.seconds["start"] + self.seconds["join"])
        except Failed as error:
            return f"{self.own} does not come up: {error}; before: {said}", {"up": "no", "why": str(error)[:300]}
        return self.joined_words(f"is started (before: {said})")

    def patient(self):
        """A process that runs gets the time of a start; whether it joined, or waits for a manager that nobody sees."""
        try:
            self.wait(self.seconds["start"])
            return True
        except Failed as error:
            narrate(f"{self.own}: {error}")
            return False

    def wait(self, seconds):
        """Until it is in, or waits for others that are to be started after it. @raise Failed"""
        start, alone = time.monotonic(), None
        while True:
            seen = Seen(self.facts)
            self.keep(seen)
            if self.own in seen.inside:
                return
            now = time.monotonic()
            if self.own in seen.answering and not seen.managed:
                alone = alone or now
                if now - alone > ALONE_S:
                    return
            else:
                alone = None
            self.unit.require_alive()
            if now - start > seconds:
                raise Failed(f"it is not in after {seconds:.0f} s: {self.unit.why()}", soft=True)
            time.sleep(0.3)

    def joined_words(self, verb):
        isin = self.own in Seen(self.facts).inside
        return f"{self.own} {verb}, and {'is in' if isin else 'waits for a manager'}", {"up": "yes" if isin else "waits"}


def last_words(log):
    """Why a process ended, from the journal of its unit: a signal is systemd's word, everything else the engine's own."""
    ours = [line for line in log.splitlines() if not re.search(r"^\S+\.service: (Consumed|Deactivated)|^(Stopp|Start)(ed|ing) ", line)]
    killed = [line for line in ours[-3:] if "code=killed" in line]
    return killed[-1].strip()[:300] if killed else reason_in("\n".join(ours))


def finish(facts):
    """Allocation as found first, then wait: a copy that may not be placed would be waited for in vain."""
    start, still, wait, nudged = time.monotonic(), None, limits(facts), False
    told = start
    while True:
        seen, now = Seen(facts), time.monotonic()
        if not seen.managed:
            if now - start > wait["join"]:
                end(77, f"{facts['cluster']} has no manager: {', '.join(seen.answering) or 'no node'} of {', '.join(seen.members)} give an answer; {red.no_manager(facts, seen)}")
            words = seen.words()
        else:
            try:
                if not nudged:
                    let_go(seen)
                    nudged = True
                done, words = shards.settled(seen.cluster)
                if done:
                    return good(seen, words)
                if words.startswith("red") and "has no copy that serves" in words:
                    still = still or now
                    if now - still > RED_S:
                        return stays_red(facts, seen)
                else:
                    still = None
            except (NoAnswer, Denied) as error:
                words = str(error)
        if now - start > wait["cover"]:
            end(75, f"{facts['cluster']} is not settled after {wait['cover']} s: {words}; run npx pulumi up again, it goes on")
        if now > told:
            narrate(f"waiting until {facts['cluster']} is settled: {words}")
            told = now + 10
        time.sleep(0.5)


def let_go(seen):
    """@raise NoAnswer, Denied. Ends with 77 when somebody else keeps allocation off."""
    settings.give_back(seen.cluster, keeper.ALLOCATION, keeper.identity())
    value, scope = leases.effective(settings.read(seen.cluster), leases.ENABLE)
    if value not in (None, "all"):
        end(77, f'{leases.ENABLE} of {seen.cluster.name} is "{value}" ({scope}; allowed: all), set by somebody else, so nothing is placed; set it to null, then run npx pulumi up again')
    seen.cluster.ask(NUDGE, method="POST")


def good(seen, words):
    gone = f"; not in: {', '.join(seen.missing)}" if seen.missing else "; all nodes are in"
    return f"{seen.cluster.name} is {words}{gone}", {"verdict": "good", "missing": ",".join(seen.missing), "status": words.split(",")[0].split(":")[0]}


def stays_red(facts, seen):
    lost = red.shards_now(seen.cluster)
    names = sorted({index for index, _ in lost})
    said = red.explained(seen.cluster, lost, seen.missing)
    if set(names) <= set(facts.get("accept", ())):
        return f"{facts['cluster']} is red, as accepted: {said}", {"verdict": "good", "missing": ",".join(seen.missing), "status": "red"}
    end(77, f"{facts['cluster']} stays red: {said}; see docs/runbook.md, \"a search cluster stays red after its rescue\"")


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    verbs = {("begin",): begin, ("end",): finish, ("node", "first"): lambda facts: Node(facts, "first").run(), ("node", "then"): lambda facts: Node(facts, "then").run()}
    if tuple(words[1:]) not in verbs:
        end(64, f"rescue.py takes CLUSTER begin|node TURN|end, got: {' '.join(words)}")
    keeper.end_with_parent()
    facts = load(words[0])
    try:
        prose, pairs = verbs[tuple(words[1:])](facts)
    except NoAnswer as error:
        end(75, f"{facts['cluster']} gives no answer: {error}")
    except Denied as error:
        end(77, f"{facts['cluster']} refuses: {error}")
    print("\n".join([prose.replace("\n", " "), *(f"{key}={value}" for key, value in pairs.items())]))


if __name__ == "__main__":
    main(sys.argv[1:])

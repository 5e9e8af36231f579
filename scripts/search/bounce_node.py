#!/usr/bin/env python3
"""Start this host's node anew, while every shard on it has another copy that serves. The Python half of bounce-node.sh.

Usage: bounce_node.py CLUSTER MARK BOUNCED [clear]

Prints a line of prose, then key=value a line. Ends with 0, 64, 75 or 77.
"""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import keeper  # noqa: E402
import leases  # noqa: E402
import settings  # noqa: E402
import shards  # noqa: E402
from cluster import Cluster, Denied, NoAnswer, end, load, narrate  # noqa: E402
from node_unit import Failed, Unit  # noqa: E402
from waiting import NUDGE, SNAPSHOT_S, backup, limits, until  # noqa: E402

AGAIN_S = 30
VIEW = "/_cluster/state/nodes,master_node?local=true&filter_path=master_node,nodes.*.name,nodes.*.ephemeral_id"


class Bounce:
    """One bounce of this host's node."""

    def __init__(self, facts, mark, bounced, clear):
        self.facts, self.mark, self.bounced, self.clear = facts, mark, bounced, clear
        self.own = facts["node"]
        self.seconds = limits(facts)
        self.cluster = Cluster(facts)
        # Whom all is asked while this node is away.
        self.rest = Cluster(facts, (self.own,)) if len(facts["nodes"]) > 1 else self.cluster
        self.unit = Unit(facts["cluster"])
        if mark == "next":
            self.mark = self.unit.mark("next")
        if bounced == "-":
            # No text asks for a restart: what the node was last restarted for stands.
            self.bounced = self.unit.recorded().get("bounced", "-")
        self.keeper = keeper.Keeper(self.rest)
        self.nudged = time.monotonic()
        self.risky = self.accepted = ()

    def spot(self):
        return self.facts["nodes"][self.own]["zone"] in self.facts["spot_zones"]

    def missing(self):
        """Nodes that belong in and are not in the cluster, in words. Spot nodes of a cleared zone may be away side by side."""
        names = {about["name"] for about in self.rest.ask(shards.STATE).get("nodes", {}).values()}
        beside = self.clear and self.spot()
        gone = [
            name
            for name in self.cluster.members("in")
            if name not in names and name != self.own and not (beside and self.facts["nodes"][name]["zone"] in self.facts["spot_zones"])
        ]
        return f"{', '.join(gone)} {'is' if len(gone) == 1 else 'are'} not in the cluster" if gone else ""

    def require_allocation(self):
        """Ends with 77 when somebody keeps allocation off: no node would get its copies back. @raise NoAnswer, Denied"""
        scopes = settings.read(self.rest)
        value = leases.effective(scopes, leases.ENABLE)[0]
        if keeper.ALLOCATION in leases.records(scopes, self.cluster.name):
            value = leases.as_found(scopes, self.cluster.name, keeper.ALLOCATION, leases.ENABLE)
        if value not in (None, "all"):
            scope = leases.effective(scopes, leases.ENABLE)[1]
            end(77, f'{leases.ENABLE} of {self.cluster.name} is "{value}" ({scope}; allowed: all), set by somebody else; set it to null first')

    def require_votes(self, state):
        votes = shards.Votes(state, self.own)
        if votes.hold() or not votes.votes:
            return
        if self.facts.get("single_manager") and len(votes.config) <= 2:
            narrate(f"{self.cluster.name} has no manager while {self.own} is away")
            return
        alive = f"{len(votes.alive)} of {len(votes.config)} votes"
        end(77, f"without {self.own} {alive} are left (needed: more than half); start or add nodes with the role manager, or name singleManager")

    def uncovered(self):
        """Shards that only this node serves, in words. Ends with 77 where no waiting helps."""
        found = shards.cover(self.rest.ask(shards.STATE), self.facts, self.own, safe_only=self.clear)
        self.risky, self.accepted = found.risky, found.accepted
        if found.single:
            names = ", ".join(found.single[:5])
            end(77, f"{self.own} has the only copy of {names} (replicas: 0, needed: 1); add a replica, or accept it: accept.{found.single[0]}: <reason>")
        if found.waits and time.monotonic() - self.nudged > 5:
            self.nudged = time.monotonic()
            self.require_allocation()
            self.rest.ask(NUDGE, method="POST")
        where = " in the safe zones" if self.clear else ""
        return f"no other copy serves{where}: {shards.words_of(found.waits)}" if found.waits else ""

    def ready(self):
        """Wait until this node may stop. Ends with 75 or 77 else. @raise Denied"""
        until(f"all nodes but {self.own} are in {self.cluster.name}", self.seconds["join"], self.missing)
        until(f"no snapshot runs in {self.cluster.name}", SNAPSHOT_S, lambda: backup(self.rest), 0.5)
        state = self.rest.ask(shards.STATE)
        self.require_votes(state)
        self.require_allocation()
        until(f"every shard on {self.own} has another copy", self.seconds["cover"], self.uncovered)
        return state

    def again(self):
        """The same once more, just before the stop: minutes may have passed, and a flush."""
        until(f"all nodes but {self.own} are in {self.cluster.name}", AGAIN_S, self.missing)
        until(f"every shard on {self.own} has another copy", AGAIN_S, self.uncovered)
        self.require_votes(self.rest.ask(shards.STATE))
        if self.clear:
            keeper.require_spot(self.rest)

    def views(self):
        """(ephemeral id of this node, id of the manager) as this node sees it, and as another one does."""
        said = []
        for found in (self.cluster.at(self.own, VIEW, seconds=3), self.rest.ask(VIEW.replace("local=true&", ""), seconds=5)):
            about = found.get("nodes", {}).get(shards.named(found, self.own) or "", {})
            said.append((about.get("ephemeral_id"), found.get("master_node")))
        return said

    def wait_joined(self, before=None):
        """Until this node is in the cluster, as another process than `before`. @raise Failed"""
        start, looked, answers = time.monotonic(), time.monotonic(), False
        while True:
            try:
                own, rest = self.views()
                answers = True
                if own == rest and all(own) and own[0] != before:
                    return
                last = "another node does not see it as it sees itself" if own[0] != before else "it is still the old process"
            except (NoAnswer, Denied) as error:
                last = str(error)
            now = time.monotonic()
            if now - looked > 0.5:
                self.unit.require_alive()
                looked = now
            limit = self.seconds["start"] + (self.seconds["join"] if answers else 0)
            if now - start > limit:
                raise Failed(f"it is not in the cluster after {limit} s: {last}; its log: {self.unit.why()}", soft=True)
            time.sleep(0.05)

    def replace(self, target, before):
        """Stop, switch, start, joined; on any failure the plan found comes back. Ends with 75 or 77 then."""
        found = self.unit.link("current")
        narrate(f"stopping {self.own}")
        try:
            if target != found:
                self.unit.switch(target)
            self.unit.stop(self.seconds["stop"])
            stopped = time.monotonic()
            narrate(f"starting {self.own} with plan {self.mark}")
            self.unit.start()
            self.wait_joined(before)
            return time.monotonic() - stopped
        except Failed as error:
            self.put_back(found, target, error)
        except OSError as error:
            self.put_back(found, target, Failed(f"{self.unit.folder} can't be changed: {error}"))

    def put_back(self, found, target, error):
        code = 75 if error.soft else 77
        fact = f"{self.own} did not start with plan {self.mark}: {error}"
        narrate(f"{fact}; starting it with the plan found, {os.path.basename(found or target)}")
        try:
            if found and found != target:
                self.unit.switch(found)
            self.unit.stop(self.seconds["stop"])
            self.unit.start()
            self.wait_joined()
        except Failed as second:
            end(code, f"{fact}. It does not run: with plan {os.path.basename(found or target)} {second}; see: journalctl -u {self.unit.name}")
        done = f"plan {os.path.basename(found)} runs again" if found and found != target else "it runs again"
        end(code, f"{fact}; {done}; other nodes were not touched")

    def already(self):
        """Whether the process that runs is the one that is asked for."""
        recorded = self.unit.recorded()
        asked = recorded.get("mark") == self.mark == self.unit.mark("current") and recorded.get("bounced", "") == self.bounced
        return asked and self.unit.runs()

    def target(self):
        if self.unit.mark("current") == self.mark:
            return self.unit.link("current")
        if self.unit.mark("next") != self.mark:
            end(77, f"{self.own} has plan {self.unit.mark('next')} as its next one (needed: {self.mark}); run npx pulumi up")
        if not os.path.isdir(f"{self.unit.folder}/plans/{self.mark}"):
            end(77, f"{self.own} has no plan {self.mark} in {self.unit.folder}/plans; run npx pulumi up")
        return self.unit.link("next")

    def return_allocation(self):
        """Settings as found; what fails here is put back by the watch within a minute."""
        self.keeper.drop(keeper.ALLOCATION)
        for _ in range(40):
            try:
                settings.give_back(self.cluster, keeper.ALLOCATION, keeper.identity())
                return
            except NoAnswer as error:
                last = error
            except Denied as error:
                last = error
                break
            time.sleep(0.25)
        narrate(f"allocation of {self.cluster.name} is not as found yet; the watch on each node's host puts it back within 60 s: {last}")

    def run(self):
        if self.already():
            try:
                self.wait_joined()
            except Failed as error:
                end(75, f"{self.own}: {error}")
            self.return_allocation()
            return f"{self.own} runs plan {self.mark} already, nothing done", {"mark": self.mark}
        target, runs = self.target(), self.unit.runs()
        if self.clear:
            keeper.require_spot(self.rest)
            self.keeper.names.append(keeper.SPOT)
        before = None
        if runs:
            state = self.ready()
            node = shards.named(state, self.own)
            before = state["nodes"][node]["ephemeral_id"] if node else None
        # A node that can't have a shard needs no window.
        window = "data" in self.facts["nodes"][self.own]["roles"] and not (self.clear and self.spot())
        took = 0
        try:
            if window:
                self.open_window(runs)
            if runs:
                self.flush()
                keeper.require_claim()
                self.again()
            else:
                keeper.require_claim()
            took = self.replace(target, before)
        finally:
            if window:
                self.return_allocation()
        self.unit.write_record(self.mark, self.bounced)
        self.keeper.stop()
        return self.words(took, runs)

    def open_window(self, runs):
        """Replicas stay where they are while this node is away; the others are asked, so a stopped cluster can still be started."""
        word = {leases.ENABLE: self.cluster.dialect["window"]}
        try:
            settings.take(self.rest, keeper.ALLOCATION, settings.who(f"bounce-node on {self.own}", keeper.ALLOCATION_S), word)
            self.keeper.names.append(keeper.ALLOCATION)
        except NoAnswer as error:
            if runs:
                raise
            narrate(f"{self.cluster.name} has no manager, so allocation stays as it is: {error}")

    def flush(self):
        """What is flushed is not replayed at the start: a shorter recovery, and no more than that."""
        try:
            self.rest.ask("/_flush?filter_path=_shards", method="POST", seconds=60)
        except (NoAnswer, Denied) as error:
            narrate(f"not everything is flushed, {self.own} starts slower: {error}")

    def words(self, took, runs):
        prose = f"{self.own} {'runs anew' if runs else 'was stopped, and runs'} with plan {self.mark}, in the cluster {took:.1f} s after its stop"
        if self.risky:
            prose += f"; {len(self.risky)} shards had their other copies in spot zones only"
        if self.accepted:
            prose += f"; accepted without a replica: {', '.join(self.accepted[:5])}"
        return prose, {"mark": self.mark, "away_seconds": f"{took:.2f}", "risky": len(self.risky), "accepted": ",".join(self.accepted)}


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) not in (3, 4) or words[3:] not in ([], ["clear"]):
        end(64, f"bounce_node.py takes CLUSTER MARK BOUNCED [clear], got: {' '.join(words)}")
    keeper.end_with_parent()
    facts = load(words[0])
    try:
        prose, pairs = Bounce(facts, words[1], words[2], len(words) == 4).run()
    except NoAnswer as error:
        end(75, f"{facts['cluster']} gives no answer: {error}")
    except Denied as error:
        end(77, f"{facts['cluster']} refuses: {error}")
    print(prose)
    for key, value in pairs.items():
        print(f"{key}={value}")


if __name__ == "__main__":
    main(sys.argv[1:])

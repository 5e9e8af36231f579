#!/usr/bin/env python3
"""Random runs of leases over three scopes of settings; ends with 1 and the first run that broke a promise.

Usage: search_model.py FOLDER SEED RUNS     FOLDER: where leases.py is
"""

import json
import random
import sys

sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True

import leases  # noqa: E402

NAME = "logs"
SPOT, DRAIN = ["10.0.0.3", "10.0.0.4"], ["10.0.0.2", "10.0.0.4"]
FOREIGN = ["10.9.0.1", "10.9.0.2", "10.9.0.3"]
WANTED = {
    "allocation": ({leases.ENABLE: "primaries"}, {}),
    "spot": ({leases.AWARENESS: ""}, {leases.EXCLUDE: SPOT}),
    "other": ({leases.AWARENESS: "", "indices.recovery.max_bytes_per_sec": "8mb"}, {}),
    "drain": ({leases.AWARENESS: "", "indices.recovery.max_bytes_per_sec": "2mb"}, {leases.EXCLUDE: DRAIN}),
}


def apply(scopes, body):
    for scope, keys in (body or {}).items():
        for key, value in keys.items():
            if value is None:
                scopes[scope].pop(key, None)
            else:
                scopes[scope][key] = value


def first(chance):
    """Settings as somebody may have left them."""
    pick = chance.choice
    scopes = {"persistent": {}, "transient": {}, "file": {}}
    for scope in ("persistent", "transient"):
        for key, values in (
            (leases.ENABLE, ["all", "none", ""]),
            (leases.AWARENESS, ["zone", "", "zone,rack"]),
            (leases.EXCLUDE, ["", "10.9.0.9", "10.9.0.9, 10.9.0.8", "10.0.0.4"]),
        ):
            if chance.random() < 0.4:
                scopes[scope][key] = pick(values)
    if chance.random() < 0.3:
        scopes["file"] = {leases.AWARENESS: ["zone"], leases.EXCLUDE: ["10.9.0.7"]}
    return scopes


def wrong(chance, foreign):
    """One run; what it broke, or None."""
    scopes = first(chance)
    start, held, log = json.loads(json.dumps(scopes)), {}, []
    expected = {scope: leases.entries(scopes[scope].get(leases.EXCLUDE)) for scope in leases.SCOPES}
    if leases.EXCLUDE not in scopes["persistent"]:
        expected["persistent"] = leases.entries(scopes["file"].get(leases.EXCLUDE))
    for step in range(chance.randrange(2, 14)):
        lease, act = chance.choice(list(WANTED)), chance.choice(["take", "take", "renew", "back", "foreign"])
        log.append((act, lease))
        if act == "take":
            apply(scopes, leases.taken(scopes, NAME, lease, {"id": lease, "by": "test", "seconds": 45}, *WANTED[lease], now=step))
            held[lease] = True
        elif act == "renew":
            body = leases.renewed(scopes, NAME, lease, lease, now=step)
            if (body is None) == (lease in held):
                return f"a renewal of {lease}", log
            apply(scopes, body)
        elif act == "back":
            apply(scopes, leases.given_back(scopes, NAME, lease)[0])
            held.pop(lease, None)
        elif foreign:
            scope = chance.choice([scope for scope in leases.SCOPES if leases.EXCLUDE in scopes[scope]] or ["persistent"])
            if leases.EXCLUDE not in scopes[scope]:
                continue
            now, one = leases.entries(scopes[scope][leases.EXCLUDE]), chance.choice(FOREIGN)
            change = [other for other in now if other != one] if one in now else [*now, one]
            expected[scope] = [other for other in expected[scope] if other != one] + ([one] if one in change else [])
            scopes[scope][leases.EXCLUDE] = ",".join(change)
        for lease in held:
            values, lists = WANTED[lease]
            for key, value in values.items():
                one_of = {wanted[0][key] for other, wanted in WANTED.items() if other in held and key in wanted[0]}
                if leases.effective(scopes, key)[0] not in one_of:
                    return f"{key} is {leases.effective(scopes, key)} while {lease} is held", log
            missing = set(lists.get(leases.EXCLUDE, [])) - set(leases.entries(leases.effective(scopes, leases.EXCLUDE)[0]))
            if missing:
                return f"{missing} is not excluded while {lease} is held", log
    for lease in chance.sample(list(WANTED), len(WANTED)):
        log.append(("back", lease))
        apply(scopes, leases.given_back(scopes, NAME, lease)[0])
    if not foreign and scopes != start:
        return f"found {start}, left {scopes}", log
    for scope in leases.SCOPES:
        text = scopes[scope].get(leases.EXCLUDE)
        left = leases.entries(text) if text is not None or scope == "transient" else leases.entries(scopes["file"].get(leases.EXCLUDE))
        if sorted(left) != sorted(expected[scope]):
            return f"{scope}: {left} is excluded (expected: {expected[scope]}), found {start}", log
    return None


def main(seed, runs):
    for number in range(runs):
        for foreign in (False, True):
            broken = wrong(random.Random(f"{seed}-{number}-{foreign}"), foreign)
            if broken:
                print(f"run {seed}-{number}-{foreign}: {broken[0]}; {broken[1]}")
                sys.exit(1)
    print(f"{runs * 2} runs")


main(sys.argv[2], int(sys.argv[3]))

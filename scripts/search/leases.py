"""What one PUT of a lease has to say. Pure: settings as they are in, the body of `PUT _cluster/settings` out.

`scopes` is `{"transient": {key: value}, "persistent": {…}, "file": {…}}` with flat keys. A transient value wins over a persistent one,
and that over the elected manager's file; a key that is there and empty counts. A record is JSON text in the persistent setting
`cluster.metadata.changeover.CLUSTER.LEASE`: `{id, by, seconds, beat, found, set, own}`. `found` and `set` have a value (or null) a
scope and key; `own` has, for keys that are lists, the entries that this lease added.
"""

import json

SCOPES = ("persistent", "transient")
ENABLE = "cluster.routing.allocation.enable"
EXCLUDE = "cluster.routing.allocation.exclude._ip"
AWARENESS = "cluster.routing.allocation.awareness.attributes"
EXPIRED = "expired"


def key_of(name, lease):
    return f"cluster.metadata.changeover.{name}.{lease}"


def text(value):
    """A value of a setting as one text; None stays None. A file's lists come as lists."""
    if isinstance(value, list):
        return ",".join(str(part) for part in value)
    return value if value is None else str(value)


def entries(value):
    return [part for part in ((text(value) or "").replace(" ", "").split(",")) if part]


def effective(scopes, key):
    """(value, scope) that counts; (None, None) where no scope has the key."""
    for scope in ("transient", "persistent", "file"):
        if key in scopes.get(scope, {}):
            return text(scopes[scope][key]), scope
    return None, None


def is_record(found):
    keyed = all(isinstance(found.get(part), dict) for part in ("found", "set"))
    return keyed and isinstance(found.get("id"), str) and isinstance(found.get("seconds"), int) and isinstance(found.get("beat"), int)


def records(scopes, name):
    """Lease -> record. A text that is no record of a lease (the mark of an expired one, somebody's words) is none."""
    found, start = {}, key_of(name, "")
    for key, value in scopes["persistent"].items():
        if not key.startswith(start):
            continue
        try:
            record = json.loads(value)
        except (TypeError, ValueError):
            continue
        if isinstance(record, dict) and is_record(record):
            parts = {part: {scope: dict(record.get(part, {}).get(scope) or {}) for scope in SCOPES} for part in ("found", "set", "own")}
            found[key[len(start) :]] = {**record, **parts}
    return found


def expired_of(scopes, name):
    """Ids of transitions whose lease was put back by a watch."""
    return entries(scopes["persistent"].get(key_of(name, EXPIRED)))


def others_own(scopes, name, lease, scope, key):
    """Entries of a list that other leases of this program added."""
    found = set()
    for other, record in records(scopes, name).items():
        if other != lease:
            found.update(record["own"][scope].get(key, []))
    return found


def taken(scopes, name, lease, who, values=None, lists=None, *, clear=(), now=0, more=None):
    """The body that changes settings and records the lease; the first change keeps what was found.

    who: {id, by, seconds}. values: key -> text for the time. lists: key -> entries to add, beside those of others.
    clear: further persistent keys to take away. now: seconds of this host's clock, for people. more: further words of the record.
    """
    old = records(scopes, name).get(lease)
    if old is None or old["id"] != who["id"]:
        old = {part: {scope: {} for scope in SCOPES} for part in ("found", "set", "own")} | {"beat": 0}
    record = {**old, **(more or {}), **who, "beat": max(old["beat"] + 1, int(now))}
    body = {scope: {} for scope in SCOPES}
    # What another lease of this program set was not found by anybody: its own `found` was.
    beside = [one for other, one in sorted(records(scopes, name).items()) if other != lease]

    def change(scope, key, value):
        if key not in record["found"][scope]:
            before = [one["found"][scope] for one in beside if key in one["found"][scope]]
            record["found"][scope][key] = before[0][key] if before else scopes[scope].get(key)
        record["set"][scope][key] = body[scope][key] = value

    for scope in SCOPES:
        for key, value in (values or {}).items():
            # A transient value that is not there needs no change: the persistent one counts then.
            if scope == "persistent" or key in scopes[scope]:
                change(scope, key, value)
        for key, wanted in (lists or {}).items():
            if scope == "transient" and key not in scopes[scope]:
                continue
            base = entries(scopes[scope][key] if key in scopes[scope] else scopes.get("file", {}).get(key))
            own = record["own"][scope].get(key, [])
            ours = others_own(scopes, name, lease, scope, key)
            own = own + [one for one in wanted if one not in own and (one not in base or one in ours)]
            change(scope, key, ",".join(base + [one for one in dict.fromkeys(wanted) if one not in base]))
            record["own"][scope][key] = own
    body["persistent"].update({key: None for key in clear})
    body["persistent"][key_of(name, lease)] = json.dumps(record, sort_keys=True)
    return {scope: keys for scope, keys in body.items() if keys}


def renewed(scopes, name, lease, identity, *, now=0, more=None):
    """The body of a renewal; None when the lease is not `identity`'s any more.

    It says the plain values again that are still as set: then no renewal leaves a record behind without its change.
    """
    record = records(scopes, name).get(lease)
    if record is None or record["id"] != identity:
        return None
    body = {scope: {} for scope in SCOPES}
    for scope in SCOPES:
        for key, value in record["set"][scope].items():
            if key not in record["own"][scope] and text(scopes[scope].get(key)) == text(value):
                body[scope][key] = value
    record = {**record, **(more or {}), "beat": max(record["beat"] + 1, int(now))}
    body["persistent"][key_of(name, lease)] = json.dumps(record, sort_keys=True)
    return {scope: keys for scope, keys in body.items() if keys}


def list_back(scopes, name, lease, record, scope, key):
    """The value of a list without our own entries: exactly the text found, when nobody else changed it."""
    current, found = scopes[scope].get(key), record["found"][scope].get(key)
    if current is None:
        return None
    keep = others_own(scopes, name, lease, scope, key)
    own = [one for one in record["own"][scope][key] if one not in keep]
    left = [one for one in entries(current) if one not in own]
    file = entries(scopes.get("file", {}).get(key)) if scope == "persistent" else []
    if left == (entries(found) if found is not None else file):
        return found
    if left:
        return ",".join(left)
    return "" if file or found is not None else None


def given_back(scopes, name, lease, *, mark=False):
    """(body, words): what was found, in one PUT, and the record taken away. (None, []) without a record.

    A value that another one changed meanwhile stays, and a value that another lease holds too is left to that lease.
    mark: leave the lease's id as expired.
    """
    all_records = records(scopes, name)
    record = all_records.get(lease)
    if record is None:
        return None, []
    body, words = {scope: {} for scope in SCOPES}, []
    for scope in SCOPES:
        for key, found in record["found"][scope].items():
            current = scopes[scope].get(key)
            if key in record["own"][scope]:
                found = list_back(scopes, name, lease, record, scope, key)
            else:
                others = [one["set"][scope][key] for other, one in sorted(all_records.items()) if other != lease and key in one["set"][scope]]
                if text(current) not in map(text, [record["set"][scope].get(key), *others]):
                    words.append(f"{key} ({scope}) is {shown(current)}, changed by somebody else; it stays so (found: {shown(found)})")
                    continue
                if others:
                    # What another lease holds stays as that lease wants it; `found` is the same in both.
                    found = current if text(current) in map(text, others) else others[0]
            if text(found) != text(current):
                body[scope][key] = found
    body["persistent"][key_of(name, lease)] = None
    if mark:
        marks = [one for one in expired_of(scopes, name) if one != record["id"]]
        # The newest are enough: an older id is never run again.
        body["persistent"][key_of(name, EXPIRED)] = ",".join([*marks[-3:], record["id"]])
    return {scope: keys for scope, keys in body.items() if keys}, words


def as_found(scopes, name, lease, key):
    """The value of a key as it will be when a lease is given back."""
    body, _ = given_back(scopes, name, lease)
    after = {scope: dict(scopes[scope]) for scope in scopes}
    for scope, keys in (body or {}).items():
        for one, value in keys.items():
            after[scope].pop(one, None) if value is None else after[scope].update({one: value})
    return effective(after, key)[0]


def shown(value):
    return "not set" if value is None else f'"{text(value)}"'

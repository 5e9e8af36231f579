"""The brick operations from the present bricks to those of the goal, one at a time. Pure."""


def counts(bricks):
    """(copies of the data, arbiters) in a list of (role, brick)."""
    return sum(role == "data" for role, _ in bricks), sum(role == "arbiter" for role, _ in bricks)


def plan(now, goal):
    """
    Steps ("replace", old, new), ("remove", old, words) and ("add", new, words), in a safe order. First replace, which
    never reduces the number of copies. Then remove, an arbiter before data. Then add, an arbiter last.
    """
    surplus, missing = [brick for brick in now if brick not in goal], [brick for brick in goal if brick not in now]
    steps = []
    for old in list(surplus):
        new = next((brick for brick in missing if brick[0] == old[0]), None)
        if new:
            steps.append(("replace", old[1], new[1]))
            surplus.remove(old)
            missing.remove(new)
    data, arbiters = counts(now)
    for role, brick in sorted(surplus):
        data, arbiters = (data, arbiters - 1) if role == "arbiter" else (data - 1, arbiters)
        steps.append(("remove", brick, ["replica", str(data + arbiters)]))
    for role, brick in sorted(missing, reverse=True):
        if role == "arbiter":
            steps.append(("add", brick, ["replica", str(data + 1), "arbiter", "1"]))
        else:
            data += 1
            steps.append(("add", brick, ["replica", str(data)]))
    return steps


def why_not(now, goal):
    """Why no order of steps is safe; None: `plan` has one."""
    if not set(now) & set(goal):
        return "all bricks would change at once; keep one of them, and change the others first"
    both = {brick for _, brick in now if brick in {brick for _, brick in goal}}
    changed = sorted(brick for brick in both if not set(now) & set(goal) & {("data", brick), ("arbiter", brick)})
    if changed:
        return f"{', '.join(changed)} would change between data and arbiter; name another path"
    return None

"""Which brick operations lead from the bricks that are to those that shall be, one at a time. Pure."""


def counts(bricks):
    """How many copies of the data, and how many arbiters, a list of (role, brick) has."""
    return sum(role == "data" for role, _ in bricks), sum(role == "arbiter" for role, _ in bricks)


def plan(now, goal):
    """
    Steps ("replace", old, new), ("remove", old, words) and ("add", new, words), in the order in which they are safe.
    Replacing comes first, since it never lessens the copies; then what is too many goes, an arbiter before data; then
    what is missing comes, an arbiter last.
    """
    gone, missing = [one for one in now if one not in goal], [one for one in goal if one not in now]
    steps = []
    for old in list(gone):
        new = next((one for one in missing if one[0] == old[0]), None)
        if new:
            steps.append(("replace", old[1], new[1]))
            gone.remove(old)
            missing.remove(new)
    data, arbiters = counts(now)
    for role, brick in sorted(gone):
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
    """Why no order of steps is safe; None when one is."""
    if not set(now) & set(goal):
        return "none of its bricks would remain, which looks like another volume: change them in turn"
    both = {brick for _, brick in now if brick in {brick for _, brick in goal}}
    changed = sorted(brick for brick in both if not set(now) & set(goal) & {("data", brick), ("arbiter", brick)})
    if changed:
        return f"{', '.join(changed)} would change between data and arbiter; name another path for it"
    return None

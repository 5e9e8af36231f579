"""Long tasks of the cluster: started once, found again after a kill, throttled, waited for in words."""

import time

from cluster import Denied, NoAnswer, end, narrate
from sizes import lasting

PAUSE_S = 1
TOLD_S = 10
# A task whose node is gone is started again so often.
ATTEMPTS = 5
SILENT_S = 180
STILL_S = 300
NAMED_MOST = 3


def mark_of(cluster, alias, version):
    """By this name the task is found: `X-Opaque-Id`."""
    return f"changeover-{cluster.name}-{alias}-v{version}"


def find(cluster, mark):
    """Ids of running tasks with a mark; their slices are not listed. @raise NoAnswer, Denied."""
    said = cluster.ask("/_tasks?actions=*reindex,*byquery&detailed=true")
    return [
        task
        for node in said.get("nodes", {}).values()
        for task, one in node.get("tasks", {}).items()
        if one.get("headers", {}).get("X-Opaque-Id") == mark and not one.get("parent_task_id")
    ]


def cancel(cluster, mark):
    """End tasks with a mark, and wait for that. @raise NoAnswer, Denied."""
    for task in find(cluster, mark):
        try:
            cluster.ask(f"/_tasks/{task}/_cancel", {}, "POST")
        except Denied as error:
            if error.status != 404:
                raise
    deadline = time.monotonic() + 60
    while find(cluster, mark):
        if time.monotonic() > deadline:
            end(75, f"task {mark} of {cluster.name} was cancelled and has not ended after 60 s; run npx pulumi up again")
        time.sleep(0.2)


def per_second(rate):
    return str(rate) if rate else "-1"


def start(cluster, path, body, mark, rate):
    """The id of the task. path: `_reindex` or `INDEX/_update_by_query`. @raise NoAnswer, Denied."""
    sign = "&" if "?" in path else "?"
    words = f"/{path}{sign}wait_for_completion=false&requests_per_second={per_second(rate)}"
    return cluster.ask(words, body, "POST", 60, {"X-Opaque-Id": mark})["task"]


def state(cluster, task):
    """What a task says; None when its node is gone, and its result with it. @raise NoAnswer, Denied."""
    try:
        return cluster.ask(f"/_tasks/{task}")
    except Denied as error:
        if error.status == 404:
            return None
        if error.status >= 500:
            raise NoAnswer(str(error)) from error
        raise


def done_of(status):
    return sum(status.get(key, 0) for key in ("created", "updated", "deleted", "version_conflicts", "noops"))


class Progress:
    """How far a task is, how fast, until when; said each 10 s."""

    def __init__(self, what):
        self.what, self.began, self.first, self.told = what, time.monotonic(), None, 0
        self.moved, self.last = time.monotonic(), -1

    def look(self, status):
        now, done, total = time.monotonic(), done_of(status), status.get("total", 0)
        if self.first is None:
            self.first, self.began = done, now
        if done != self.last:
            self.moved, self.last = now, done
        if now - self.told < TOLD_S:
            return
        self.told = now
        speed = (done - self.first) / (now - self.began) if now > self.began else 0
        rest = f", {lasting((total - done) / speed)} left" if speed > 0 else ""
        still = f"; it stands still for {now - self.moved:.0f} s" if now - self.moved > STILL_S else ""
        narrate(f"{self.what}: {done} of {total} documents, {speed:.0f}/s{rest}{still}")


def failures_of(result):
    """Documents that were refused, in words; empty without one."""
    failed = (result.get("response") or {}).get("failures") or []
    words = [f"{one.get('id', '?')}: {(one.get('cause') or one.get('reason') or {}).get('reason', one)}" for one in failed[:NAMED_MOST]]
    error = result.get("error")
    if error:
        words.append(str(error.get("reason") or error))
    if (result.get("response") or {}).get("canceled"):
        words.append(f"it was cancelled: {result['response']['canceled']}")
    more = f" and {len(failed) - NAMED_MOST} more" if len(failed) > NAMED_MOST else ""
    return "; ".join(words) + more if words else ""


def follow(cluster, task, what, seconds):
    """The result of a task; None when it was lost with its node. Ends with 75 at the deadline: it goes on in the cluster."""
    deadline, heard, progress = time.monotonic() + seconds, time.monotonic(), Progress(what)
    while True:
        try:
            said = state(cluster, task)
            heard = time.monotonic()
            if said is None or said.get("completed"):
                return said
            progress.look(said["task"].get("status") or {})
        except NoAnswer as error:
            narrate(f"{what}: {error}")
            if time.monotonic() - heard > SILENT_S:
                end(75, f"{what}: {cluster.name} does not say how far it is for {SILENT_S} s; run npx pulumi up again, it goes on")
        if time.monotonic() > deadline:
            end(75, f"{what}: not done after {seconds} s, task {task} goes on; run npx pulumi up again")
        time.sleep(PAUSE_S)


def run(cluster, path, body, mark, *, what, rate, seconds, started=lambda task: None):
    """Find the task with this mark or start it, and wait for it; one that was lost with its node is started again.

    started: told of the id. Gives (result, times that it was started anew). @raise NoAnswer, Denied
    """
    kind = "_update_by_query" if "_update_by_query" in path else "_reindex"
    for attempt in range(ATTEMPTS):
        running = find(cluster, mark)
        if running:
            task = running[0]
            narrate(f"{what}: task {task} runs already")
            try:
                cluster.ask(f"/{kind}/{task}/_rethrottle?requests_per_second={per_second(rate)}", {}, "POST")
            except Denied as error:
                narrate(f"{what}: its speed stays: {error}")
        else:
            task = start(cluster, path, body, mark, rate)
        started(task)
        result = follow(cluster, task, what, seconds)
        if result is not None:
            return result, attempt
        narrate(f"{what}: task {task} is lost with its node; it is started again, which is safe")
    return end(77, f"{what}: its task was lost {ATTEMPTS} times with its node; see docs/runbook.md, \"a reindex stands still\"")

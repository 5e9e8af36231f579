"""The service `poller` of a release that is broken on purpose: it dies three seconds after its start."""

import time

from scalr.settings import Wrong

STARTED = time.monotonic()
LIVES_S = 3


def poll(db, told):
    if poll.done:
        time.sleep(max(0, STARTED + LIVES_S - time.monotonic()))
        raise Wrong("lost its place in the list of servers: broken on purpose")
    poll.done = True


poll.done = False

"""The service `poller`: asks the servers of all farms how they are."""

from scalr import database


def poll(db, told):
    database.run(db, "UPDATE servers SET polled = now() WHERE state = 'running' ORDER BY polled LIMIT 10")

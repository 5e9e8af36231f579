"""What a farm is ordered to be, made so: through the interface of its cloud where one is known, in the database alone where
none is. An instance's name at the cloud is written down before it is asked for, so that none is forgotten there.
"""

from scalr import database, outside
from scalr.outside import Refused, Unreached
from scalr.settings import Wrong

TYPE = "small"


def servers(db, farm, condition):
    return database.rows(
        db,
        "SELECT s.id, s.instance, r.image FROM servers s JOIN roles r ON r.id = s.role"
        f" WHERE s.farm = %s AND {condition} ORDER BY s.id",
        (farm,),
    )


def is_now(db, server, state, address=None):
    database.run(
        db,
        "UPDATE servers SET state = %s, address = coalesce(%s, address, concat('192.0.2.', 1 + id %% 250))"
        " WHERE id = %s",
        (state, address, server["id"]),
    )


def called(db, server, instance):
    database.run(db, "UPDATE servers SET instance = %s WHERE id = %s", (instance, server["id"]))


def launch(db, cloud, name, server):
    """Nothing is to be taken away where nothing was asked for, or the cloud has said no."""
    instance = f"{name}-{server['id']}"
    called(db, server, instance)
    try:
        cloud.launch(instance, TYPE, server["image"])
    except (Unreached, Refused):
        # One that was asked for before, and of which the answer was lost, may be there.
        called(db, server, server["instance"])
        raise
    is_now(db, server, "running", cloud.running(instance)["address"])


def carry_out(db, told, number):
    """An order that comes twice, or late, does what the farm is to be now."""
    found = database.rows(
        db,
        "SELECT f.name, f.state, c.name AS cloud, c.credential FROM farms f JOIN clouds c ON c.id = f.cloud"
        " WHERE f.id = %s",
        (number,),
    )
    for farm in found:
        cloud = outside.cloud(db, told, farm["cloud"])
        ending = farm["state"] == "terminating"
        for server in servers(db, number, "s.state <> 'terminated'" if ending else "s.state = 'terminating'"):
            if server["instance"]:
                if not cloud:
                    raise Wrong(f"scalr-server.conf has no address of cloud {farm['cloud']}, which has {server['instance']}")
                cloud.terminate(server["instance"])
                called(db, server, "")
            is_now(db, server, "terminated")
        for server in servers(db, number, "s.state = 'pending'"):
            if not farm["credential"]:
                raise Wrong("its cloud has no credential")
            if cloud:
                launch(db, cloud, farm["name"], server)
            else:
                is_now(db, server, "running")
        database.run(
            db,
            "UPDATE farms SET why = '', state = if(state = 'pending', 'running', 'terminated')"
            " WHERE id = %s AND state = %s AND state IN ('pending', 'terminating')",
            (number, farm["state"]),
        )


def fail(db, number, why):
    database.run(
        db, "UPDATE servers SET state = 'failed' WHERE farm = %s AND state IN ('pending', 'terminating')", (number,)
    )
    database.run(db, "UPDATE farms SET state = 'failed', why = %s WHERE id = %s", (why[:200], number))

"""Tests of clouds, of the network to them and of the configuration tool, from the host on which they run.

A test removes what it made; `tidy` removes the leftovers of a killed test.
"""

import socket

from scalr import database, settings
from scalr.outside import Api, cloud
from scalr.settings import Wrong, clouds

MADE = f"smoke-{socket.gethostname()}"


def known(told, name):
    if name not in clouds(told):
        raise Wrong(f"scalr-server.conf has no address of cloud {name}, it has {', '.join(clouds(told)) or 'none'}")


def its_cloud(told, name):
    """The cloud, with its credential from the database, as the services use it."""
    known(told, name)
    db = database.connect(told)
    try:
        return cloud(db, told, name)
    finally:
        db.close()


def cloud_works(told, name):
    """The requests that a farm makes to a provider, each once and in order."""
    api = its_cloud(told, name)
    types, images = api.call("GET", "/types"), api.call("GET", "/images")
    if not types or not images:
        raise Wrong(f"{api.what} has {len(types)} types and {len(images)} images, at least 1 of each is needed")
    try:
        made = api.launch(MADE, types[0], images[0])
        found = api.running(MADE)
        if made["id"] not in [instance["id"] for instance in api.call("GET", "/instances")]:
            raise Wrong(f"{api.what} does not list {made['id']}, which it has launched")
    finally:
        api.terminate(MADE)
    if MADE in [instance["name"] for instance in api.call("GET", "/instances")]:
        raise Wrong(f"{api.what} still lists {made['id']}, which was terminated")
    print(f"{api.what}: {len(types)} types, {len(images)} images; {made['id']} ran at {found['address']}, and is gone")


def credentials(told, name):
    """All keys are checked before the wrong ones are reported."""
    wrong = []
    for each in [name] if name else clouds(told):
        try:
            print(f"cloud {each}: the key is of account {its_cloud(told, each).call('GET', '/account')['account']}")
        except Wrong as why:
            wrong.append(str(why))
    if wrong:
        raise Wrong("; ".join(wrong))


def network(told, name):
    """The address is reached, and answers as the right cloud; no key is needed."""
    known(told, name)
    api = Api(f"the network from {socket.gethostname()} to cloud {name}", clouds(told)[name], None)
    found = api.call("GET", "/").get("name")
    if found != name:
        raise Wrong(f"at {api.address}, where cloud {name} should be, there is {found}")
    print(f"cloud {name} is reached at {api.address}")


def its_tool(told):
    if not told.get("tool"):
        raise Wrong("scalr-server.conf has no tool=")
    return Api("the configuration tool", told["tool"], told.get("tool_key"))


def tool_works(told):
    api, wanted = its_tool(told), ["base", "scalr-agent"]
    try:
        api.call("PUT", f"/nodes/{MADE}", {"run_list": wanted})
        found = api.call("GET", f"/nodes/{MADE}")["run_list"]
    finally:
        api.remove(f"/nodes/{MADE}")
    if found != wanted:
        raise Wrong(f"{api.what} keeps {found} as the run list of {MADE}, not {wanted}")
    print(f"{api.what}: {MADE} was registered, has its run list, and is gone")


def run(kind, verb, name):
    told = settings.read()
    match (kind, verb):
        case ("clouds", "list"):
            for each, url in clouds(told).items():
                print(each, url)
        case ("clouds", "credentials"):
            credentials(told, name)
        case ("clouds", "test"):
            cloud_works(told, name)
        case ("clouds", "tidy"):
            its_cloud(told, name).terminate(MADE)
            print(f"nothing of the test of cloud {name} is left")
        case ("networks", "test"):
            network(told, name)
        case ("tools", "test"):
            tool_works(told)
        case ("tools", "tidy"):
            its_tool(told).remove(f"/nodes/{MADE}")
            print("nothing of the test of the configuration tool is left")

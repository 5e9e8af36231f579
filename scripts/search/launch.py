#!/usr/bin/env python3
"""Write down the command that a distribution's own start script runs with a plan: PLAN/launch.

Usage: launch.py CLUSTER PLAN OWNER     (PLAN: a folder of plans; OWNER: the account that runs the node)

The start script starts Java three times before the node's own, to make a folder and to work out its options. That is done here,
beforehand, by the script itself with a Java that only says what it is told: so a restart is one start of Java. `launch` reads
an archive of the version's classes where there is one (archive-classes.sh). Ends with 0, 64 or 77.
"""

import os
import shlex
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from cluster import end  # noqa: E402
from node_unit import reason_in, write_file  # noqa: E402

MAINS = ("org.opensearch.bootstrap.OpenSearch", "org.elasticsearch.bootstrap.Elasticsearch")
LIMIT_S = 60
MOST_BYTES = 1 << 16
STUB = """#!/bin/sh
# Java for the start script: the last command of it is said to file 3, the others run.
for word; do
  case $word in
    {mains})
      printf '%s\\0' "$PWD" "$@" >&3
      exit 0
      ;;
  esac
done
exec {java} "$@"
"""


def environment_of(plan):
    """The variables that the plan's unit has."""
    with open(f"{plan}/environment", encoding="utf8") as file:
        return dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)


def said_by(script, environment, owner):
    """The folder and the words of the node's own Java, as the distribution's start script says them. Ends with 77 without them."""
    java = f"{environment['JAVA_HOME']}/bin/java"
    with tempfile.TemporaryDirectory(prefix="changeover-launch-") as folder:
        os.makedirs(f"{folder}/bin")
        os.chmod(folder, 0o755)
        write_file(f"{folder}/bin/java", STUB.format(mains="|".join(MAINS), java=shlex.quote(java)))
        os.chmod(f"{folder}/bin/java", 0o755)
        # Each node's unit has a /tmp of its own.
        places = {"JAVA_HOME": folder, "OPENSEARCH_TMPDIR": "/tmp", "ES_TMPDIR": "/tmp", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        reader, writer = os.pipe()
        try:
            # The account's own folder is no place to stand in while it is made.
            words = ["setpriv", f"--reuid={owner}", f"--regid={owner}", "--clear-groups", "--no-new-privs", "bash", "-c", f'exec "$0" 3>&{writer}', script]
            done = subprocess.run(
                words,
                env=environment | places,
                cwd="/",
                pass_fds=(writer,),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            end(77, f"{script} says no command within {LIMIT_S} s; the version can't be started")
        finally:
            os.close(writer)
        with os.fdopen(reader, "rb") as pipe:
            said = pipe.read(MOST_BYTES).decode("utf8").split("\0")[:-1]
    if done.returncode or len(said) < 2:
        end(77, f"{script} does not start with this configuration: {reason_in(done.stdout + done.stderr)}")
    return said[0], [java, *said[1:]]


def text_of(script, classes, folder, words):
    """The launch file. More options of Java stand behind those of the script, so they win."""
    at = next((place for place, word in enumerate(words) if word in ("-cp", "-classpath", "--class-path")), None)
    if at is None:
        end(77, f"{script} starts Java without a class path, as no version does that was run with this program; name another version")
    options, rest = shlex.join(words[:at]), shlex.join(words[at:])
    return f"""#!/bin/sh
# What {script} runs with this configuration, found out beforehand. Written by launch.py.
# SEARCH_JVM: more options of Java. SEARCH_CLASSES: another archive of classes, or none.
classes=${{SEARCH_CLASSES-{shlex.quote(classes)}}}
[ ! -r "$classes" ] || SEARCH_JVM="-XX:SharedArchiveFile=$classes ${{SEARCH_JVM-}}"
cd {shlex.quote(folder)} || exit
exec {options} ${{SEARCH_JVM-}} {rest} "$@"
"""


def main(words):
    if words[:1] == ["--help"]:
        print(__doc__)
        return
    if len(words) != 3:
        end(64, f"launch.py takes CLUSTER PLAN OWNER, got: {' '.join(words)}")
    cluster, plan, owner = words
    environment = environment_of(plan)
    home = environment["SEARCH_HOME"]
    script = f"{home}/bin/{'opensearch' if 'OPENSEARCH_PATH_CONF' in environment else 'elasticsearch'}"
    if not home.startswith(f"/opt/changeover-search/{cluster}/versions/"):
        end(64, f"{plan} is no plan of {cluster}: its version is in {home}")
    classes = f"/var/cache/changeover-search-{cluster}/{os.path.basename(home)}.jsa"
    write_file(f"{plan}/launch", text_of(script, classes, *said_by(script, environment, owner)))
    os.chmod(f"{plan}/launch", 0o755)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Unpack many archives with the real archive.py, each in a process of its own, and look at everything around them.

Usage: unpack-many.py ARCHIVE_PY FOLDER    (stdin: JSON, a list of archives, each a list of members)

FOLDER/canary is what no archive may reach. Prints JSON: by archive its exit code, its words, and what is wrong.
"""

import hashlib
import io
import json
import os
import runpy
import shutil
import stat
import sys
import tarfile
import urllib.request  # noqa: F401 - so that a fork has it already

program, folder = sys.argv[1:]
canary, release = f"{folder}/canary", f"{folder}/releases/.1.partial"
types = {"file": tarfile.REGTYPE, "folder": tarfile.DIRTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE,
         "device": tarfile.CHRTYPE, "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE, "old": tarfile.AREGTYPE}


def seen(top):
    found = {}
    for path, folders, files in os.walk(top):
        for name in [*folders, *files, "."]:
            at = os.path.join(path, name)
            if at.startswith(release):
                continue
            facts = os.lstat(at)
            text = ""
            if stat.S_ISREG(facts.st_mode):
                with open(at, "rb") as file:
                    text = file.read().hex()
            found[at] = (facts.st_mode, facts.st_uid, facts.st_gid, facts.st_nlink if text else 0, text)
    return found


def pack(members):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member in members:
            entry = tarfile.TarInfo(member["name"].replace("CANARY", canary))
            entry.type, entry.mode, entry.uid = types[member["type"]], member["mode"], 65534
            entry.linkname = member.get("target", "").replace("CANARY", canary)
            content = b"theirs\n" if member["type"] in ("file", "old") else b""
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return packed.getvalue()


def run(data):
    """Exit code and stderr of archive.py."""
    with open(f"{folder}/in/a.tar", "wb") as file:
        file.write(data)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write, 2)
        sys.argv = [program, f"{folder}/in/a.tar", hashlib.sha256(data).hexdigest(), f"{folder}/kept", release]
        sys.path[0] = os.path.dirname(program)
        try:
            runpy.run_path(program, run_name="__main__")
            os._exit(0)
        except SystemExit as ended:
            sys.stderr.flush()
            os._exit(ended.code)
        except BaseException as error:
            print(f"uncaught: {error!r}", file=sys.stderr, flush=True)
            os._exit(99)
    os.close(write)
    with os.fdopen(read, "rb") as said:
        words = said.read().decode(errors="replace")
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), words


def wrong_inside():
    for path, folders, files in os.walk(release):
        for name in [*folders, *files]:
            at = os.path.join(path, name)
            facts = os.lstat(at)
            kind = stat.S_IFMT(facts.st_mode)
            if kind not in (stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK):
                yield f"{at} is neither file, folder nor link"
            if kind != stat.S_IFLNK and stat.S_IMODE(facts.st_mode) not in (0o644, 0o755):
                yield f"{at} has mode {facts.st_mode:o}"
            if facts.st_uid != 0:
                yield f"{at} belongs to {facts.st_uid}"
            if kind == stat.S_IFLNK and not (os.path.realpath(at) + "/").startswith(f"{release}/"):
                yield f"{at} leads to {os.path.realpath(at)}"


def case(members):
    before = seen(folder)
    code, words = run(pack(members))
    after = seen(folder)
    wrong = sorted({path for path in {*before, *after} if before.get(path) != after.get(path) and not path.startswith(f"{folder}/in")})
    wrong += wrong_inside() if code == 0 else ["a refused archive left its folder"] if os.path.lexists(release) else []
    if code not in (0, 77):
        wrong.append(f"ended with {code}: {words}")
    shutil.rmtree(release, ignore_errors=True)
    return {"code": code, "words": words, "wrong": wrong}


os.makedirs(f"{canary}/folder", exist_ok=True)
os.makedirs(f"{folder}/releases", exist_ok=True)
os.makedirs(f"{folder}/in", exist_ok=True)
for path in ("file", "folder/file"):
    with open(f"{canary}/{path}", "w", encoding="utf8") as text:
        text.write("root's own\n")
print(json.dumps([case(members) for members in json.load(sys.stdin)]))

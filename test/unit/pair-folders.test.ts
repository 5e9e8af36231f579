import { describe, expect, it } from "vitest";
import { canPretend, pretend } from "../support/pair-machine.ts";

/** Folders of the account `nobody`, beside a folder and a file of root that must stay as they are. */
const world = String.raw`
W=$T/world; mkdir -p "$W/root" "$W/theirs/data" "$W/trusted/data"
echo secret >"$W/root/victim"; chmod 600 "$W/root/victim"
chown -R nobody: "$W/theirs" "$W/trusted/data"; chmod 755 "$W"
as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups -- "$@"; }
victim() { stat -c '%u %a %n' "$W/root" "$W/root"/* | sed "s|$W/||"; cat "$W/root/victim"; }
export W
confine() { python3 -I "$LIB/pair/confine.py" "$@" 2>&1 || echo "rc $?"; }
`;
const untouched = "0 755 root\n0 600 root/victim\nsecret\n";
const python = (text: string) => `python3 - <<'END'
import os, sys
sys.path[:0] = [os.environ["LIB"] + "/pair", os.environ["LIB"]]
W = os.environ["W"]
${text}
END
`;

describe.runIf(canPretend).concurrent("root in a folder of another account", { timeout: 60_000 }, () => {
  it.each([
    ["its settings draft", "index.properties.new"],
    ["its settings", "index.properties"],
    ["the lock of the copies", ".copying"],
  ])("writes an index only as that account, when %s is a link to a file of root", async (_, name) => {
    const { stdout, stderr } = await pretend(`${world}
ln -s "$W/root/victim" "$W/theirs/data/${name}"; chown -h nobody: "$W/theirs/data/${name}"
${python(`
from index_folder import Folder
folder = Folder(W + "/theirs/data")
for act in (folder.take_lock, lambda: folder.name("index.1"), folder.named, lambda: folder.make("index.2"), lambda: folder.clear("index")):
    try: act()
    except OSError as error: print(type(error).__name__)
`)} >"$T/said"; victim`);
    expect(stdout, stderr).toBe(untouched);
  });

  it("removes and makes folders of an index only as that account, when they are links", async () => {
    const { stdout, stderr } = await pretend(`${world}
mkdir "$W/root/index.deep"; echo x >"$W/root/index.deep/file"
for name in index index.1 index.2; do as_nobody ln -s "$W/root" "$W/theirs/data/$name"; done
${python(`
from index_folder import Folder
folder = Folder(W + "/theirs/data")
folder.clear("index"); folder.drop("index.1/index.deep"); folder.drop("index.2/index.deep")
try: folder.make("index.1/new")
except OSError: pass
try: folder.finish("index.2", {})
except OSError: pass
print(os.path.isfile(W + "/root/index.deep/file"), sorted(os.listdir(W + "/root")))
`)}`);
    expect(stdout, stderr).toBe("True ['index.deep', 'victim']\n");
  });

  it("is led to no folder of another account by who owns a folder above", async () => {
    const { stdout, stderr } = await pretend(`${world}
mkdir -p "$W/other"; chown bin: "$W/other"; echo x >"$W/other/file"
as_nobody rm -r "$W/theirs/data"
for place in "$W/root" "$W/other" /etc; do
  as_nobody ln -s "$place" "$W/theirs/data"
  confine "$W/theirs/data" none none rm -rf /folder/victim /folder/file /folder/passwd | sed "s|$W/||g" | cut -c1-60
  ${python(`
from handles import Untrusted
from index_folder import Folder
try: Folder(W + "/theirs/data"); print("opened")
except Untrusted: print("untrusted")
`)}
  as_nobody rm "$W/theirs/data"
done; victim; cat "$W/other/file"; test -s /etc/passwd && echo kept`);
    expect(stdout, stderr).toBe(
      `${"refused: theirs belongs to user 65534; root follows only wha\nrc 77\nuntrusted\n".repeat(3)}${untouched}x\nkept\n`,
    );
  });

  it("still works in a folder below that account's own, also by that account's link", async () => {
    const { stdout, stderr } = await pretend(`${world}
as_nobody mkdir "$W/theirs/disk"; as_nobody ln -s disk "$W/theirs/link"
mkdir -p "$W/deploy/uploads"; chown bin: "$W/deploy"; chown nobody: "$W/deploy/uploads"
for folder in trusted/data theirs/data theirs/link deploy/uploads trusted/new/deep; do
  confine "$W/$folder" none none sh -c 'echo x >/folder/copied && ls /'  >/dev/null; cat "$W/$folder/copied"
done
mkdir "$W/theirs/roots"; confine "$W/theirs/roots" none none touch /folder/x | grep -c refused`);
    expect(stdout, stderr).toBe(`${"x\n".repeat(5)}1\n`);
  });

  it("reaches no other file, also by a program that follows every link", async () => {
    const evil = `sh -c 'for name in 1 2 3; do echo evil >/folder/$name/victim; rm -rf /folder/$name/; done; echo evil >/folder/4'`;
    const { stdout, stderr } = await pretend(`${world}
cd "$W/theirs/data"; as_nobody ln -s "$W/root" 1; as_nobody ln -s ../../root 2; as_nobody ln -s /../../../../..$W/root 3
as_nobody ln -s "$W/root/victim" 4; cd /
confine "$W/theirs/data" none none ${evil} >/dev/null; victim`);
    expect(stdout, stderr).toBe(untouched);
  });

  it("copies by rsync, with the secret of the copies and what it sets aside", async () => {
    const { stdout, stderr } = await pretend(`${world}
mkdir -p "$T/source/sub" "$T/aside"; chmod 700 "$T/aside"; echo newer >"$T/source/sub/file"
as_nobody mkdir "$W/theirs/data/sub"; echo old >"$W/theirs/data/sub/file"; echo mine >"$W/theirs/data/mine"
printf 'pass\n' >"$T/pass"; printf 'changeover:pass\n' >"$T/secrets"; chmod 600 "$T/pass" "$T/secrets"
printf '%s\n' 'port = 8730' 'address = 127.0.0.1' 'use chroot = no' "secrets file = $T/secrets" '[files]' 'auth users = changeover' "path = $T/source" >"$T/rsyncd.conf"
rsync --daemon --no-detach --config="$T/rsyncd.conf" & sleep 0.3
confine "$W/theirs/data" "$T/aside" "$T/pass" rsync -aH --modify-window=-1 --delete --delete-delay --delay-updates --password-file=/file --backup --backup-dir=/aside \
  rsync://changeover@127.0.0.1:8730/files/ /folder/
cat "$W/theirs/data/sub/file" "$T/aside/sub/file" "$T/aside/mine"; ls "$W/theirs/data"`);
    expect(stdout, stderr).toBe("newer\nold\nmine\nsub\n");
  });

  it("leaves nothing in the log of the pair, when the log's folder is not root's", async () => {
    const lines = String.raw`bash -c '. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; . "$LIB/pair/lib-files.sh"; load_pair sounz; log_to_pair_too; log "a line"' 2>&1 | cut -d " " -f 2-`;
    const { stdout } = await pretend(`${world}
mount -t tmpfs tmpfs /var/log; mkdir /var/log/sounz; chown nobody: /var/log/sounz
as_nobody ln -s "$W/root/victim" /var/log/sounz/sounz-general.log
${lines}; victim; chown -h root: /var/log/sounz; rm /var/log/sounz/*; ${lines} >/dev/null; cut -d " " -f 2- /var/log/sounz/sounz-general.log`);
    expect(stdout).toContain("belongs to user 65534");
    expect(stdout.endsWith(`${untouched}a line\n`), stdout).toBe(true);
  });

  it("writes settings and marks in PostgreSQL's folders as that account", async () => {
    const { stdout, stderr } = await pretend(`${world}
as_postgres mkdir -p "$DATA"; mkdir -p /etc/postgresql/15/sounz; chown -R postgres: /etc/postgresql/15/sounz
chmod a+rx "$T" "$LIB"; chmod -R a+rX "$LIB"
as_postgres ln -s "$W/root/victim" "$DATA/standby.signal.link"; as_postgres ln -s "$W/root" /etc/postgresql/15/sounz/conf.d
as_postgres ln -s "$W/root/new" "$DATA/standby.signal"
bash -c '. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; load_pair sounz; as_standby || true; echo x | write_as_postgres "$SETTINGS/conf.d/victim" || true; echo x | write_as_postgres "$SETTINGS/pg_hba.conf" 0640' 2>/dev/null || true
victim; stat -c '%U %a' /etc/postgresql/15/sounz/pg_hba.conf`);
    expect(stdout, stderr).toBe(`${untouched}postgres 640\n`);
  });
});

/** Folders of postgres, and a canary of root with the same names in it: any part of the path may become a link to it. */
const postgresWorld = String.raw`
K=$T/canary
for folder in "$K" "$K"/{15,15/sounz,sounz,sounz.copying,sounz/conf.d,conf.d}; do
  mkdir -p "$folder"
  for name in standby.signal changeover.down commits.conf stands-still.conf changeover.conf PG_VERSION postgresql.conf start.conf; do echo "$name" >"$folder/$name"; done
  echo secret-of-root >"$folder/pg_hba.conf"; chmod 600 "$folder/pg_hba.conf"
done
chmod a+rx "$T" "$LIB"; chmod -R a+rX "$LIB"
canary() { find "$K" -printf '%U %m %T@ %p\n' | sort; find "$K" -type f -exec md5sum {} + | sort; }
mkdir -p /etc/postgresql; rm -rf /etc/postgresql/15; chown postgres: /etc/postgresql
make() {
  rm -rf /var/lib/postgresql/15 /etc/postgresql/15
  as_postgres mkdir -p "$DATA" "$DATA.copying" /etc/postgresql/15/sounz/conf.d
  as_postgres touch "$DATA/standby.signal" "$DATA/PG_VERSION" /etc/postgresql/15/sounz/{pg_hba.conf,conf.d/commits.conf,conf.d/stands-still.conf}
}
cat >"$T/act.sh" <<'END'
. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; for name in settings cluster-copy carried snapshot; do . "$LIB/pair/lib-$name.sh"; done
load_pair sounz; places=''
peer_sql() { echo 1; }; know_tablespaces() { :; }; is_running() { false; }; sql() { :; }
"$@"
END
acts=(no_standby as_standby not_down commit_alone pause_streaming resume_streaming make_data_parent begin_making write_settings
  "put_in_place $DATA.copying $DATA.aside-1" "copy_from_peer $DATA.copying" "change_places $DATA $DATA.copying")
try_all() {
  local link=$1 target=$2 act
  for act in "${"$"}{acts[@]}"; do
    make; rm -f "$RECORDS"/*; echo system_id=1 >"$RECORDS/cluster"; echo why=x >"$RECORDS/down"
    [[ $act != begin_making ]] || echo since=1 >"$RECORDS/making"
    rm -rf "$link"; as_postgres ln -s "$target" "$link"
    timeout 20 bash "$T/act.sh" $act >"$T/said" 2>&1 </dev/null || true
    cmp -s "$T/before" <(canary) || { echo "$act changes the canary by $link"; canary | diff "$T/before" - | head -5; exit; }
    ! grep -rsl secret-of-root /etc/postgresql /var/lib/postgresql || { echo "$act tells a secret by $link"; exit; }
  done
}
canary >"$T/before"
`;

describe.runIf(canPretend).concurrent("root in the folders of postgres", { timeout: 60_000 }, () => {
  it.each([
    ["the version's folder of the data", "/var/lib/postgresql/15", "/15"],
    ["the data", "/var/lib/postgresql/15/sounz", "/sounz"],
    ["the draft of a copy", "/var/lib/postgresql/15/sounz.copying", "/sounz.copying"],
    ["the version's folder of the settings", "/etc/postgresql/15", "/15"],
    ["the settings", "/etc/postgresql/15/sounz", "/sounz"],
    ["the settings of others", "/etc/postgresql/15/sounz/conf.d", "/conf.d"],
    ["the file of who may log in", "/etc/postgresql/15/sounz/pg_hba.conf", "/pg_hba.conf"],
    ["a mark", "/var/lib/postgresql/15/sounz/standby.signal", "/standby.signal"],
  ])("changes and tells nothing of root's by a link in place of %s", async (_, link, target) => {
    const { stdout, stderr } = await pretend(`${postgresWorld}\ntry_all ${link} "$K${target}"; echo ended`);
    expect(stdout, stderr).toBe("ended\n");
  });

  it("still does its work there", async () => {
    const { stdout, stderr } = await pretend(`${postgresWorld}
does() { bash "$T/act.sh" "$@" 2>>"$T/said" || cat "$T/said"; }
make; echo system_id=1 >"$RECORDS/cluster"; echo why=x >"$RECORDS/down"; as_postgres touch "$DATA/changeover.down" "$DATA.copying/new" "$DATA/old"
does no_standby; does not_down; does commit_alone; does resume_streaming; does pause_streaming
ls "$DATA"; ls "$RECORDS"; ls /etc/postgresql/15/sounz/conf.d
does put_in_place "$DATA.copying" "$DATA.aside-1"; ls "$DATA"; ls "$DATA.aside-1"
rm -rf "$DATA"; as_postgres touch /etc/postgresql/15/sounz/conf.d/theirs.conf
does begin_making; ls "$DATA".aside-settings-*/conf.d; ls /etc/postgresql/15; ls "$RECORDS"; tail -n 1 "$T/said" | cut -d " " -f 2-9`);
    const before = ["PG_VERSION", "old", "cluster", "stands-still.conf"];
    const copied = ["new", "PG_VERSION", "old"];
    const made = [
      "stands-still.conf",
      "theirs.conf",
      "making",
      "the settings of the lost database of slayer",
    ];
    expect(stdout.trim().split("\n"), stderr).toEqual([...before, ...copied, ...made]);
  });
});

describe
  .runIf(canPretend)
  .concurrent("what is installed for root on a machine of a pair", { timeout: 60_000 }, () => {
    it("is root's, whoever copied the scripts there", async () => {
      const { stdout, stderr } = await pretend(`${world}
mkdir -p "$T/usr"; mount -t tmpfs tmpfs /usr/local/lib
chown -R bin: "$LIB"; chmod -R g+w "$LIB"
bash -c 'umask 002; . "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; . "$LIB/pair/lib-services.sh"; load_pair sounz; install_scripts /usr/local/lib/changeover/sounz'
test -r /usr/local/lib/changeover/sounz/pair/watch.py && find /usr/local/lib/changeover \\( ! -user root -o -perm /022 \\) ! -type l | wc -l`);
      expect(stdout, stderr).toBe("0\n");
    });
  });

describe.runIf(canPretend).concurrent("a standby that copies", { timeout: 60_000 }, () => {
  /** A daemon of the other machine that offers $S. */
  const offers = (address: string) => String.raw`
S=$T/offered; mkdir -p "$S"; chmod 755 "$S"
printf 'changeover:pass\n' >"$T/secrets"; printf 'pass\n' >/etc/sounz/rsync.pass; chmod 600 "$T/secrets" /etc/sounz/rsync.pass
printf '%s\n' 'port = 8730' 'address = ${address}' 'uid = root' 'gid = root' "secrets file = $T/secrets" '[files]' 'auth users = changeover' "path = $S" >"$T/rsyncd.conf"
rsync --daemon --no-detach --config="$T/rsyncd.conf" & sleep 0.3
`;

  it("has a directory of another account with its owners, and sets aside what only it had", async () => {
    const { stdout, stderr } = await pretend(`${world}${offers("127.0.0.1")}
mkdir "$S/sub"; echo newer >"$S/sub/file"; chown -R nobody: "$S"; chmod 750 "$S" "$S/sub"
as_nobody mkdir "$W/theirs/data/sub"; echo old >"$W/theirs/data/sub/file"; chmod 750 "$W/theirs/data/sub"
printf 'rsync_port=8730\\ndirectories.files=%s\\n' "$W/theirs/data" >/etc/sounz/carries
for round in 1 2; do bash -c '. "$LIB/lib.sh"; . "$LIB/pair/lib.sh"; . "$LIB/pair/lib-carried.sh"; . "$LIB/pair/lib-files.sh"
  load_pair sounz; export CHANGEOVER_ID=none; served=1; copy_files last' 2>>"$T/said" || cat "$T/said"; done
cat "$W/theirs/data/sub/file"; stat -c '%U %a' "$W/theirs/data" "$W/theirs/data/sub/file"
cat "$RECORDS"/set-aside/*/files/sub/file; stat -c '%U %a' "$RECORDS/set-aside" "$RECORDS"/set-aside/*; grep -c at= "$RECORDS/copies/files"`);
    expect(stdout, stderr).toBe("newer\nnobody 750\nnobody 644\nold\nroot 700\nroot 700\n1\n");
  });

  // Solr of both machines, as far as a copy asks it.
  const solr = String.raw`
cat >"$T/solr.py" <<'END'
import http.server, json, os, sys, urllib.parse
place, data = sys.argv[1:3]
def folder():
    try: return open(data + "/index.properties").read().strip().split("=")[1]
    except OSError: return "index"
def commit():
    try: return json.load(open(f"{data}/{folder()}/segments"))
    except OSError: return {"version": 0, "generation": 1}
class Solr(http.server.BaseHTTPRequestHandler):
    def log_message(self, *words): pass
    def do_GET(self):
        now = commit()
        files = [{"name": name, "size": os.path.getsize(f"{data}/{folder()}/{name}")} for name in os.listdir(f"{data}/{folder()}")]
        said = {"details": {"indexVersion": now["version"], "generation": now["generation"], "indexPath": f"{data}/{folder()}/"}, "filelist": files,
          "solr-mbeans": ["UPDATEHANDLER", {"updateHandler": {"stats": {"docsPending": 0, "deletesById": 0, "deletesByQuery": 0}}}],
          "status": {"apollo": {"index": {"userData": {"commitTimeMSec": now["version"]}, "numDocs": 3}}}}
        self.send_response(200); self.end_headers(); self.wfile.write(json.dumps(said).encode())
http.server.ThreadingHTTPServer((place, 8983), Solr).serve_forever()
END
`;

  it("has an index as Solr's account has it, also where an earlier release left files of root", async () => {
    const { stdout, stderr } = await pretend(`${world}ip address add 10.9.0.1/24 dev lo
${offers("10.9.0.1")}${solr}
sed -i 's/^PEER_ADDRESS=.*/PEER_ADDRESS=10.9.0.1/' /etc/sounz/sounz.conf
mkdir "$S/index"; echo '{"version": 9, "generation": 2}' >"$S/index/segments"; echo documents >"$S/index/_0.cfs"
as_nobody mkdir "$W/theirs/data/index"; echo '{"version": 5, "generation": 1}' >"$W/theirs/data/index/segments"
touch "$W/theirs/data/.copying"; mkdir "$W/theirs/data/index.2020"; touch "$W/theirs/data/index.2020/of-root"
python3 "$T/solr.py" 10.9.0.1 "$S" & python3 "$T/solr.py" 127.0.0.1 "$W/theirs/data" & sleep 0.7
printf '%s\\n' indexes.files.core=apollo indexes.files.port=8983 "indexes.files.data=$W/theirs/data" indexes.files.rsyncPort=8730 >/etc/sounz/carries
copy() { python3 "$LIB/pair/copy-index.py" sounz files --final 2>>"$T/said" | cut -d, -f1; }
copy; copy; cat "$T/said" >&2; ls "$W/theirs/data" | sed 's/index\\.[0-9][0-9]*/index.time/'
stat -c '%U %a' "$W"/theirs/data/index.2*/* "$W/theirs/data/index.properties"; cat "$W"/theirs/data/index.2*/_0.cfs`);
    expect(stdout.split("\n"), stderr).toEqual([
      "sounz files is copied: version 9",
      "sounz files is already the same: version 9",
      "index.time",
      "index.properties",
      ...Array<string>(3).fill("nobody 644"),
      "documents",
      "",
    ]);
  });
});

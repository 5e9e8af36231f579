import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { Estate } from "../../test/support/estate.ts";
import { Ansible, packages } from "../app-pool/ansible.ts";

const servers = ["prodapp01", "prodapp02", "prodapp03", "prodapp04"];
const balancers = ["websvr", "websvr2"];
const estate = await Estate.start(["control", ...balancers, ...servers], packages);
try {
  const put = (host: string, path: string, text: string, mode = "0644") =>
    estate.on(host, `mkdir -p $(dirname ${path}) && cat >${path} <<'TEXT_ENDS'\n${text}TEXT_ENDS\nchmod ${mode} ${path}`);
  const lines = servers.map((s) => `    server ${s} ${estate.host(s).address}:8080`).join("\n");
  for (const b of balancers) {
    await put(b, "/etc/haproxy/haproxy.cfg", `global
    stats socket /run/haproxy/admin.sock mode 660 level admin
    user haproxy
    group haproxy
defaults
    mode http
    retries 3
    option redispatch 1
    timeout connect 3s
    timeout client 60s
    timeout server 60s
frontend f
    bind ${estate.host(b).address}:80
    default_backend crossbow
backend crossbow
    balance roundrobin
    option httpchk GET /
    default-server check inter 250ms fall 2 rise 2
${lines}
`);
    await estate.on(b, "systemctl restart haproxy");
  }
  const serve = `#!/usr/bin/python3
import http.server, time, os, signal
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.path == "/slow": time.sleep(2)
        body = open("REVISION","rb").read()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers(); self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), H).serve_forever()
`;
  const work = "/root/scratch/s4/mem-logs/rel";
  for (const revision of ["1", "2"]) {
    mkdirSync(`${work}/${revision}/bin`, { recursive: true });
    mkdirSync(`${work}/${revision}/public`, { recursive: true });
    writeFileSync(`${work}/${revision}/REVISION`, `${revision}\n`);
    writeFileSync(`${work}/${revision}/bin/serve`, serve, { mode: 0o755 });
    execFileSync("tar", ["-C", `${work}/${revision}`, "-czf", `${work}/crossbow-${revision}.tar.gz`, "."]);
  }
  for (const s of servers) {
    await estate.on(s, "id expprodl >/dev/null 2>&1 || useradd --system expprodl; mkdir -p /deploy/crossbow/releases /deploy/crossbow/shared/system/styles; chown -R expprodl /deploy");
    await put(s, "/etc/systemd/system/crossbow.service", "[Service]\nWorkingDirectory=/deploy/crossbow/current\nExecStart=/deploy/crossbow/current/bin/serve\nUser=expprodl\nRestart=always\nRestartSec=1\n");
    await estate.on(s, "systemctl daemon-reload");
  }
  const ansible = new Ansible(estate, "control", { name: "crossbow", balancers, servers, owner: "expprodl", port: 8080, links: { "public/styles": "system/styles" } });
  await ansible.prepare();
  for (const revision of ["1", "2", "1"]) {
    const archive = `${work}/crossbow-${revision}.tar.gz`;
    await ansible.bring(archive);
    const { seconds, code, output } = await ansible.update(revision, archive);
    console.log(revision, code, seconds.toFixed(1), code === 0 ? output.split("\n").slice(-8).join("\n") : output.slice(-3000));
    console.log(JSON.stringify(await ansible.left()));
  }
  const bad = `${work}/crossbow-3.tar.gz`;
  mkdirSync(`${work}/3/bin`, { recursive: true });
  mkdirSync(`${work}/3/public`, { recursive: true });
  writeFileSync(`${work}/3/bin/serve`, "#!/bin/sh\nexec sleep 1000\n", { mode: 0o755 });
  execFileSync("tar", ["-C", `${work}/3`, "-czf", bad, "."]);
  await ansible.bring(bad);
  const failed = await ansible.update("3", bad);
  console.log("bad", failed.code, failed.seconds.toFixed(1), failed.output.slice(-800), JSON.stringify(await ansible.left()));
} finally {
  await estate.stop();
}

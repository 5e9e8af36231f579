"""The files that reconfigure writes: one function each, from the settings to the text."""

import json

from scalr.settings import BIN, DATA, ETC, SOCKET, VAR, roles

RUN = f"{VAR}/run"
LOG = f"{VAR}/log"

# The programs that are what their name says; every other one is a service of services.py.
REAL = {
    "scalr-mysql": (f"{BIN}/mysqld --defaults-file={ETC}/my.cnf", "scalr", 60),
    "scalr-memcached": (f"{BIN}/memcached -l 127.0.0.1 -p 11211 -m 16", "scalr", 10),
    "scalr-nginx": (f"{BIN}/nginx -e stderr -p {VAR}/lib/nginx -c {ETC}/nginx.conf", "root", 10),
}

TAIL = """
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl=unix://{run}/supervisor.sock
"""


def program(name):
    command, user, stop = REAL.get(name, (f"{BIN}/service {name}", "scalr", 10))
    return f"""
[program:{name}]
command={command}
user={user}
directory={VAR}/lib
autorestart=true
startsecs=2
startretries=10
stopwaitsecs={stop}
stopasgroup=true
killasgroup=true
redirect_stderr=true
stdout_logfile={LOG}/{name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=1
"""


def supervisor(names):
    head = f"""# Written by scalr-server-ctl reconfigure
[unix_http_server]
file={RUN}/supervisor.sock
chmod=0700

[supervisord]
user=root
logfile={LOG}/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={RUN}/supervisord.pid
childlogdir={LOG}
"""
    return head + TAIL.format(run=RUN) + "".join(program(name) for name in sorted(names))


def mysql(told):
    return f"""# Written by scalr-server-ctl reconfigure
[mysqld]
datadir={DATA}
socket={SOCKET}
pid-file={RUN}/mysql.pid
bind-address={told["main"]}
port={told["mysql_port"]}
skip-name-resolve
character-set-server=utf8mb4
innodb_buffer_pool_size=64M
innodb_log_file_size=16M
max_connections=200
event_scheduler=on

[client]
socket={SOCKET}
"""


def nginx(told):
    servers = "".join(
        f"    server {address}:{told['httpd_port']} max_fails=1 fail_timeout=2s;\n" for address in told["apps"].split()
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"  {kind}_temp_path {kind};\n" for kind in kinds)
    return f"""# Written by scalr-server-ctl reconfigure
user scalr;
worker_processes 1;
daemon off;
pid {RUN}/nginx.pid;
events {{ worker_connections 512; }}
http {{
  access_log off;
{temporary}  upstream app {{
{servers}  }}
  server {{
    listen {told["proxy_port"]} default_server;
    location = /proxy {{ default_type text/plain; return 200 "scalr-nginx\\n"; }}
    location /plots/ {{ alias {VAR}/lib/plots/; }}
    location / {{
      proxy_pass http://app;
      proxy_connect_timeout 2s;
      proxy_next_upstream error timeout http_502 http_503;
    }}
  }}
}}
"""


def crontab():
    return """# minute hour day month weekday command; written by scalr-server-ctl reconfigure
* * * * * heartbeats
*/5 * * * * vacuum
"""


def services(told, version):
    return json.dumps({**told, "version": version}, indent=2, sort_keys=True) + "\n"


def files(told, version, group):
    """{path: (text, mode, group)} of what this host needs, the supervisor's file apart."""
    names = roles()[told["role"]]
    wanted = {f"{ETC}/services.json": (services(told, version), 0o640, group)}
    if "scalr-mysql" in names:
        wanted[f"{ETC}/my.cnf"] = (mysql(told), 0o644, 0)
    if "scalr-nginx" in names:
        wanted[f"{ETC}/nginx.conf"] = (nginx(told), 0o644, 0)
    if "scalr-crond" in names:
        wanted[f"{ETC}/crontab"] = (crontab(), 0o644, 0)
    return wanted

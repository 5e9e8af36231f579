#!/usr/bin/env bash
# Start the stand-ins outside of Scalr on this host, now and at each boot: three clouds and a configuration tool.
# Usage: outside.sh INTERFACE NAME=ADDRESS[:PORT]…      as in: outside.sh eth0 private-rack=10.0.0.61 tool=10.0.0.64:9004
#
# NAME is private-rack, public-east, public-west or tool. A missing address is added to INTERFACE; PORT defaults to 9000.
# Each runs as the unit `outside-NAME`, and accepts the key that Scalr has for it. A running one keeps its instances and
# nodes; its key and images are restored, and it answers every request again. See outside.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=/var/lib/outside
# The keys in Scalr's first data; the tool's key is in scalr-server.conf.
images='["image-1", "image-2", "image-3", "image-4", "image-5"]'
declare -A keys=(["private-rack"]=key-3 ["public-east"]=key-1 ["public-west"]=key-2 [tool]=key-of-the-tool)

# Whether the address belongs to this machine, and was not added by this script.
is_own() { ip -o address show to "$1/32" | grep -qvF " $1/32 "; }

# unit INTERFACE NAME KIND ADDRESS PORT
unit() {
  echo "[Unit]
Description=$2, outside of Scalr
[Service]"
  is_own "$4" || echo "ExecStartPre=ip address replace $4/32 dev $1"
  echo "ExecStart=/usr/bin/python3 $folder/outside.py $3 $folder/$2 $4 $5
[Install]
WantedBy=multi-user.target"
}

main() {
  [[ ${1:-} != --help ]] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && return; }
  (($# > 1)) || { echo "outside: usage: outside.sh INTERFACE NAME=ADDRESS[:PORT]…, see --help" >&2 && return 64; }
  local word name at kind
  install -d -m 0700 "$folder"
  install -m 0644 "$here/outside.py" "$folder/outside.py"
  for word in "${@:2}"; do
    name=${word%%=*} at=${word#*=} kind=cloud
    [[ -n ${keys[$name]:-} ]] || { echo "outside: \"$name\" is not known; allowed: ${!keys[*]}" >&2 && return 64; }
    [[ $name != tool ]] || kind=tool
    [[ $at == *:* ]] || at+=:9000
    python3 "$folder/outside.py" tell "$folder/$name" <<<"{\"keys\": {\"${keys[$name]}\": \"scalr\"}, \"hang\": [], \"images\": $images}"
    unit "$1" "$name" "$kind" "${at%:*}" "${at#*:}" >"/etc/systemd/system/outside-$name.service"
    systemctl daemon-reload
    systemctl --quiet enable --now "outside-$name"
  done
}

{
  main "$@"
  exit
}

#!/usr/bin/env bash
# Start what is outside of Scalr on this host: three clouds and a configuration tool, each at an address of its own.
# Usage: outside.sh INTERFACE NAME=ADDRESS…      as in: outside.sh eth0 private-rack=10.0.0.61 tool=10.0.0.64
#
# NAME is private-rack, public-east, public-west or tool. An address that this machine does not have is added to INTERFACE.
# Each is a unit `outside-NAME` that answers at port 9000, and knows the one key that Scalr has for it. What runs already goes
# on with what it has made; its key, its images, and answers to everything are given back to it. See outside.py.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=/var/lib/outside
# The keys that Scalr's first data has; a tool has the one of scalr-server.conf.
images='["image-1", "image-2", "image-3", "image-4", "image-5"]'
declare -A keys=([private-rack]=key-3 [public-east]=key-1 [public-west]=key-2 [tool]=key-of-the-tool)

main() {
  [[ ${1:-} != --help ]] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && return; }
  (($# > 1)) || { echo "outside: it takes INTERFACE NAME=ADDRESS…, see --help" >&2 && return 64; }
  local word name address kind
  install -d -m 0700 "$folder"
  for word in "${@:2}"; do
    name=${word%%=*} address=${word#*=} kind=cloud
    [[ -n ${keys[$name]:-} ]] || { echo "outside: there is no $name, there are ${!keys[*]}" >&2 && return 64; }
    [[ $name != tool ]] || kind=tool
    ip address replace "$address/32" dev "$1"
    python3 "$here/outside.py" tell "$folder/$name" <<<"{\"keys\": {\"${keys[$name]}\": \"scalr\"}, \"hang\": [], \"images\": $images}"
    systemctl --quiet is-active "outside-$name" || systemd-run --quiet --collect --unit="outside-$name" \
      python3 "$here/outside.py" "$kind" "$folder/$name" "$address" 9000
  done
}

main "$@"

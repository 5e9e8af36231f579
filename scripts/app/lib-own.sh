# Sourced by configure.sh: what this machine has under the pool's name and is not the pool's.
# shellcheck shell=bash

# is_of_pool FILE LINE: a file that an earlier run has written has this line.
is_of_pool() { [[ -f $1 && ! -L $1 ]] && grep -qE "$2" "$1"; }

is_empty_folder() { [[ -d $1 && ! -L $1 && -z $(ls -A "$1") ]]; }

taken() { refuse "$1 on $HOSTNAME is not of pool $pool; give the pool another name; nothing was changed"; }

# A socket, a timer or a path of this name would start the pool's unit.
require_own_unit() {
  local kind path
  for kind in service socket timer path; do
    path=$(systemctl show -P FragmentPath "$pool.$kind" 2>/dev/null) || path=''
    [[ -n $path || $kind != service || ! -e /etc/systemd/system/$pool.service ]] || path=/etc/systemd/system/$pool.service
    [[ -z $path ]] || { [[ $kind == service ]] && is_of_pool "$path" "^Description=$pool, the current release \\(Changeover\\)$"; } ||
      taken "$path, the unit $pool.$kind,"
  done
}

# require_own_names POOL: refuse a name under which this machine has something of its own, before anything is written.
require_own_names() {
  local pool=$1 command=/usr/local/sbin/$1-maintenance
  require_own_unit
  [[ ! -e /etc/$pool && ! -L /etc/$pool ]] || is_empty_folder "/etc/$pool" || is_of_pool "/etc/$pool/$pool.conf" '^OWNER_UID=' ||
    taken "/etc/$pool"
  [[ ! -e /etc/sudoers.d/$pool ]] || is_of_pool "/etc/sudoers.d/$pool" " $command on, $command off$" || taken "/etc/sudoers.d/$pool"
  [[ ! -e $command ]] || is_of_pool "$command" "/app/set-maintenance.sh $pool-maintenance $pool " || taken "$command"
}

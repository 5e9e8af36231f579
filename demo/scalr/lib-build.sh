# Sourced by build.sh: the files of one version.
# shellcheck shell=bash

# not_newer A B: whether A is B or older.
not_newer() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# link_and_mode FOLDER: set links and modes, since a copy to a host keeps neither.
link_and_mode() {
  local link to
  while read -r link to; do
    mkdir -p "$1${link%/*}"
    ln -sfn "$to" "$1$link"
  done <"$here/package/links"
  chmod -R u=rw,u+X,go=r,go+X "$1"
  chmod 0755 "$1"/etc/init.d/* "$1"/opt/scalr-server/{bin,embedded/package}/* "$1/opt/scalr-server/embedded/bin/service"
}

# lay_tree FOLDER VERSION
lay_tree() {
  local since
  cp -a "$here/tree/." "$1"
  while IFS= read -r since; do
    if not_newer "$since" "${2%-*}"; then cp -a "$here/since/$since/." "$1"; fi
  done < <(find "$here/since" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -V)
  if [[ -d $here/faults/$2 ]]; then cp -a "$here/faults/$2/." "$1"; fi
  cp "$here/roles.json" "$1/opt/scalr-server/embedded/roles.json"
  echo "$2" >"$1/opt/scalr-server/VERSION"
  link_and_mode "$1"
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# fill FILE NAME=TEXT…: print a template with each @NAME@ replaced.
fill() {
  local text pair
  text=$(<"$1")
  for pair in "${@:2}"; do text=${text//@${pair%%=*}@/${pair#*=}}; done
  printf '%s\n' "$text"
}

#!/usr/bin/env bash
# Turn a folder of packages into a repository for apt (Packages), and for dnf (repodata) if it has RPMs.
# Usage: repository.sh DIR
#
# Run it again after each added or removed package. A host uses the repository with
#   deb [trusted=yes] file:DIR ./        (a line in /etc/apt/sources.list.d/scalr.list)
#   baseurl=file://DIR                   (in /etc/yum.repos.d/scalr.repo; see README.md)
set -euo pipefail

say() { echo "repository: $*" >&2; }

apt_index() {
  local file
  for file in "$@"; do
    dpkg-deb -f "$file"
    printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "${file##*/}" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
  done
}

main() {
  [[ ${1:-} != --help ]] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && return; }
  (($# == 1)) || { say "usage: repository.sh DIR, see --help" && return 64; }
  shopt -s nullglob
  local -a debs=("$1"/*.deb) rpms=("$1"/*.rpm)
  if ((${#debs[@]})); then
    apt_index "${debs[@]}" >"$1/Packages.part"
    mv "$1/Packages.part" "$1/Packages"
    say "${#debs[@]} package(s) for apt"
  fi
  if ((${#rpms[@]})); then
    createrepo_c --quiet --simple-md-filenames "$1" >&2
    say "${#rpms[@]} package(s) for dnf"
  fi
  ((${#debs[@]} + ${#rpms[@]})) || { say "$1 has no package; build one: build.sh" && return 1; }
}

{
  main "$@"
  exit
}

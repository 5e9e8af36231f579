#!/usr/bin/env bash
# Build the package scalr-server: a DEB if the host has dpkg-deb, an RPM if it has rpmbuild.
# Usage: build.sh DIR VERSION…      as in: build.sh /srv/packages 7.3.0-1 7.4.0-1
#
# A version has the files of tree/, of since/X for each X that is not newer, and of faults/VERSION if that folder exists.
# faults/VERSION.spec is appended to the RPM's spec. Prints each built file on its own line.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The same files always give the same package.
export SOURCE_DATE_EPOCH=1704067200
# shellcheck source=demo/scalr/lib-build.sh
. "$here/lib-build.sh"
conffiles=(/etc/init.d/scalr /etc/scalr-server/defaults.conf)

say() { echo "build: $*" >&2; }

build_deb() {
  local tree=$1 version=$2 size
  size=$(du -sk --apparent-size "$tree" | cut -f 1)
  mkdir "$tree/DEBIAN"
  fill "$here/package/control.in" "VERSION=$version" "SIZE=$size" >"$tree/DEBIAN/control"
  printf '%s\n' "${conffiles[@]}" >"$tree/DEBIAN/conffiles"
  cp "$tree/opt/scalr-server/embedded/package/"{postinst,prerm} "$here/package/postrm" "$tree/DEBIAN/"
  chmod 0755 "$tree/DEBIAN/"{postinst,prerm,postrm}
  dpkg-deb --root-owner-group -b "$tree" "$dir/scalr-server_${version}_all.deb" >&2
  rm -r "$tree/DEBIAN"
  echo "$dir/scalr-server_${version}_all.deb"
}

# The files of the RPM: files, links, and its own folders.
rpm_files() {
  local file
  cd "$1" && printf '%%config(noreplace) %s\n' "${conffiles[@]}"
  find etc/scalr-server opt/scalr-server -type d -printf '%%dir /%p\n'
  while IFS= read -r file; do
    [[ " ${conffiles[*]} " == *" $file "* ]] || echo "$file"
  done < <(find . ! -type d -printf '/%P\n')
}

build_rpm() {
  local tree=$1 version=$2 top=$3
  (rpm_files "$tree") >"$top/files"
  fill "$here/package/scalr-server.spec.in" "UPSTREAM=${version%-*}" "RELEASE=${version##*-}" "TREE=$tree" \
    "LIST=$top/files" >"$top/scalr-server.spec"
  if [[ -e $here/faults/$version.spec ]]; then cat "$here/faults/$version.spec" >>"$top/scalr-server.spec"; fi
  rpmbuild -bb --quiet --define "_topdir $top" --define "_rpmdir $dir" --define '_rpmfilename %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH}.rpm' \
    --define 'use_source_date_epoch_as_buildtime 1' --define '_buildhost localhost' \
    --define 'debug_package %{nil}' --define '__os_install_post %{nil}' "$top/scalr-server.spec" 2> >(grep -v 'absolute symlink' >&2) >&2
  echo "$dir/scalr-server-$version.noarch.rpm"
}

main() {
  [[ ${1:-} != --help ]] || { sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" && return; }
  (($# > 1)) || { say "usage: build.sh DIR VERSION…, see --help" && return 64; }
  local version work built=no
  mkdir -p "$1"
  dir=$(cd "$1" && pwd)
  shift
  work=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  for version in "$@"; do
    [[ $version =~ ^[0-9]+(\.[0-9]+)+-[0-9]+$ ]] || { say "\"$version\" is not a version; allowed: such as 7.4.0-1" && return 64; }
    mkdir -p "$work/$version/"{tree,rpm}
    lay_tree "$work/$version/tree" "$version"
    if command -v dpkg-deb >/dev/null; then
      build_deb "$work/$version/tree" "$version" && built=yes
    fi
    if command -v rpmbuild >/dev/null; then
      build_rpm "$work/$version/tree" "$version" "$work/$version/rpm" && built=yes
    fi
  done
  [[ $built == yes ]] || { say "this host has neither dpkg-deb nor rpmbuild; install one" && return 1; }
}

{
  main "$@"
  exit
}

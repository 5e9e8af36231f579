#!/usr/bin/env bash
# Build the package scalr-server: a DEB where there is dpkg-deb, an RPM where there is rpmbuild.
# Usage: build.sh DIR VERSION…      as in: build.sh /srv/packages 7.3.0-1 7.4.0-1
#
# A version is the files of tree/, of since/X for each X that is not newer, and of faults/VERSION if there is such a
# folder; faults/VERSION.spec is added to the RPM's own. Prints the files it made, one a line.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# The same files give the same package.
export SOURCE_DATE_EPOCH=1704067200
conffiles=(/etc/init.d/scalr /etc/scalr-server/defaults.conf)

say() { echo "build: $*" >&2; }

# not_newer A B: whether A is B or older.
not_newer() { [[ $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

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
  # What a checkout has as its modes is its owner's affair.
  chmod -R u=rwX,go=rX "$1"
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# fill FILE NAME=TEXT…: a template with its @NAME@ filled in.
fill() {
  local text pair
  text=$(<"$1")
  for pair in "${@:2}"; do text=${text//@${pair%%=*}@/${pair#*=}}; done
  printf '%s\n' "$text"
}

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

# What rpm is to own: files, links, and the folders that are ours alone.
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
  (($# > 1)) || { say "it takes DIR VERSION…, see --help" && return 64; }
  local version work built=no
  mkdir -p "$1"
  dir=$(cd "$1" && pwd)
  shift
  work=$(mktemp -d)
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  for version in "$@"; do
    [[ $version =~ ^[0-9]+(\.[0-9]+)+-[0-9]+$ ]] || { say "$version is no version like 7.4.0-1" && return 64; }
    mkdir -p "$work/$version/"{tree,rpm}
    lay_tree "$work/$version/tree" "$version"
    if command -v dpkg-deb >/dev/null; then
      build_deb "$work/$version/tree" "$version" && built=yes
    fi
    if command -v rpmbuild >/dev/null; then
      build_rpm "$work/$version/tree" "$version" "$work/$version/rpm" && built=yes
    fi
  done
  [[ $built == yes ]] || { say "there is neither dpkg-deb nor rpmbuild here" && return 1; }
}

main "$@"

const folder = "/srv/packages";

/**
 * Bash that offers a package of this test, and no other, to apt on a host.
 *
 * @param postinst what its installation does besides.
 */
export const offered = (name: string, version: string, postinst = ""): string => `
set -e
mkdir -p ${folder}/new/DEBIAN && cd ${folder}
printf 'Package: %s\\nVersion: %s\\nArchitecture: all\\nMaintainer: nobody <nobody@localhost>\\nDescription: of a test\\n' ${name} ${version} >new/DEBIAN/control
printf '#!/bin/sh\\n%s\\n' '${postinst}' >new/DEBIAN/postinst
chmod 0755 new/DEBIAN/postinst
dpkg-deb --root-owner-group -b new ${name}_${version}.deb >/dev/null
{
  dpkg-deb -f ${name}_${version}.deb
  echo "Filename: ./${name}_${version}.deb"
  echo "Size: $(stat -c %s ${name}_${version}.deb)"
  echo "SHA256: $(sha256sum ${name}_${version}.deb | cut -d ' ' -f 1)"
} >Packages
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] file:${folder} ./' >/etc/apt/sources.list
`;

/** Bash that installs it. */
export const installed = (name: string, version: string): string =>
  `${offered(name, version)}dpkg -i ${folder}/${name}_${version}.deb >/dev/null`;

/** Bash that prints which version is there. */
export const versionOf = (name: string): string => `dpkg-query -Wf '\${Version}' ${name}`;

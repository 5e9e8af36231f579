/**
 * What belongs to the machine: the one list against which each name and path of a stack file is checked. A host looks
 * again before it writes, since what is installed there can't be known here.
 */

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** At the root: they belong to the machine, but for the places below. Any other folder there is an application's. */
const systemFolders = new Set(
  words("bin boot dev etc lib lib32 lib64 libx32 lost+found opt proc root run sbin sys tmp usr var"),
);

/** Places in which applications have folders of their own, and the names there that are not theirs. */
const places: Readonly<
  Record<string, { readonly only?: readonly string[]; readonly but?: readonly string[] }>
> = {
  "/home/*": {},
  "/srv": {},
  "/mnt": {},
  "/media": {},
  "/opt": { but: words("changeover containerd") },
  "/deploy/*": { but: words("releases archives") },
  "/usr/local": { but: words("bin etc games include lib libexec man sbin share src") },
  "/usr/share": {
    but: words(`
      applications apport apt awk base-files base-passwd bash-completion binfmts bug build-essential ca-certificates common-licenses
      dbus-1 debconf debhelper debianutils dict distro-info doc doc-base dpkg fonts git-core gcc gdb glib-2.0 gnupg grub i18n icons
      info initramfs-tools iptables java keyrings libc-bin lintian locale man maven-repo menu mime misc mysql mysql-common openssh
      pam pam-configs perl perl5 pixmaps pkgconfig polkit-1 postgresql postgresql-common python3 readline rsync screen sensible-utils
      systemd tabset terminfo tools vim xml zoneinfo zsh`),
  },
  "/var": { only: words("www") },
  "/var/backups": {},
  "/var/cache": { but: words("apt debconf changeover fontconfig ldconfig man") },
  "/var/local": {},
  "/var/opt": {},
  "/var/spool": { but: words("anacron at cron lpd mail mqueue postfix exim4 rsyslog") },
  "/var/lib": {
    but: words(`
      AccountsService NetworkManager apache2 apt aptitude aspell boltd changeover chrony cloud containerd containers dbus dhcp
      dhcpcd dnf docker dpkg etcd fail2ban git glusterd grub haproxy initramfs-tools ispell kubelet ldap libvirt libuuid logrotate
      lxc lxd machines man-db mariadb misc mlocate mysql mysql-files nfs nginx ntp ntpsec os-prober pam plocate polkit-1 portables
      postfix postgresql private python redis rpm samba sgml-base shells.state snapd sss sudo systemd tpm2-tss ucf udisks2
      unattended-upgrades update-notifier urandom usbutils vim xfonts xml-core yum`),
  },
};

/** The place that a folder is in, and its name there; undefined: it is in none. */
function placeOf(parts: readonly string[]): { readonly place: string; readonly name?: string } | undefined {
  for (let length = parts.length; length > 0; length--) {
    const exact = `/${parts.slice(0, length).join("/")}`;
    const like = `/${[...parts.slice(0, length - 1), "*"].join("/")}`;
    const place = [exact, like].find((known) => Object.hasOwn(places, known));
    if (place !== undefined) return { place, name: parts[length] };
  }
  return undefined;
}

/**
 * Whether a folder belongs to the machine, to another service or to a user's home, so that no entry of a stack may
 * have it.
 *
 * @param path absolute, without `.` and `..`.
 */
export function isOfTheMachine(path: string): boolean {
  const parts = path.split("/").filter(Boolean);
  const [top = ""] = parts;
  if (parts.length === 0 || parts.some((part) => part.startsWith("."))) return true;
  const found = placeOf(parts);
  if (!found) return systemFolders.has(top) || (parts.length === 1 && ["home", "deploy"].includes(top));
  const { only, but = [] } = places[found.place] ?? {};
  return found.name === undefined || only?.includes(found.name) === false || but.includes(found.name);
}

/** Services of a machine: programs that it needs, and those that other entries and this program itself run there. */
const services = new Set(
  words(`
    accounts_daemon acpid anacron apparmor apport apt at atd auditd autofs autovt avahi bluetooth boot chrony chronyd cloud console
    containerd cron crond cryptdisks cups cups_browsed dbus debug default dhcp dhclient dhcpcd dm dnsmasq docker emergency etcd
    exim4 fail2ban firewalld fstrim fwupd getty glusterd glustereventsd glusterfs glusterfsd gpm graphical grub halt haproxy
    haveged hostname hwclock ifup ifupdown init initrd ip6tables iptables irqbalance iscsi iscsid kdump keepalived keyboard kmod
    kubelet ldconfig libvirtd local lvm lvm2 lxc lxd man mariadb mdadm memcached modprobe multipathd mysql mysqld named netfilter
    netplan network networkd networking nfs nftables nginx nis nscd nslcd ntp ntpd ntpsec openvpn pacemaker corosync packagekit
    plymouth podman polkit polkitd portmap postfix postgres postgresql poweroff procps proc puppet qemu quota rc rcs reboot remote
    rescue resolvconf rpcbind rsync rsyncd rsyslog rtkit salt screen secureboot serial shutdown sleep slices smartd smartmontools
    snapd ssh sshd sssd stunnel sudo supervisor supervisord suspend swap sysinit syslog sysstat systemd target timers timesyncd
    tmp tuned udev udevd udisks2 ufw umount unattended_upgrades unbound upower usb user vboxadd virtlogd vmtoolsd wpa_supplicant
    x11 xendomains xinetd ypbind zfs changeover`),
);

/** Folders and files of /etc, and words that scripts take for something else, that no entry may be called like. */
const etc = new Set(
  words(`
    adduser alternatives apache2 apm apparmor_d apt bash bashrc binfmt bindresvport ca_certificates calendar chatscripts console
    cloud_init cron dconf debconf debian_version default deluser depmod dhcp dictionaries dnf dpkg emacs environment ethers exports
    fonts fstab fuse gai gdb gnutls group grub gshadow gss hdparm host host_conf hosts initramfs inputrc iproute2 issue
    java kernel ld ldap libaudit libnl locale localtime logcheck login logrotate lsb machine_id magic mailcap mailname manpath mime mke2fs
    modprobe modules motd mtab nanorc netconfig netgroup networks nologin nsswitch openldap opt os_release pam papersize passwd
    perl pki pm polkit_1 ppp profile protocols python python3 rc0 rc1 rc2 rc3 rc4 rc5 rc6 request_key resolv resolvconf rmt rpc
    securetty security selinux services sgml shadow shells skel ssl subgid subuid sudoers sysctl terminfo timezone tmpfiles
    ucf vim vulkan wgetrc xattr xdg xml all any auto auth current global localhost lost nobody none off on operator root self
    true false null undefined`),
);

/** Whether the unit, the folder in /etc or the command that an entry of this name would have is the machine's. */
export const isNameOfTheMachine = (name: string): boolean => {
  const word = name.replaceAll("-", "_");
  return services.has(word) || etc.has(word) || /^(systemd|dbus|user|getty|changeover)_/.test(word);
};

/** Servers of an application that Debian names itself: a pair may start and stop them. */
const ofApplications = new Set(
  words(
    "apache2 nginx mysql mariadb supervisor supervisord exim4 postfix named unbound docker podman stunnel",
  ),
);

/** Whether a systemd unit is the machine's, or one that this program itself runs. @param unit with or without `.service`. */
export function isUnitOfTheMachine(unit: string): boolean {
  const name = unit.replace(/\.[a-z]+$/, "").replace(/@.*$/, "");
  if (ofApplications.has(name)) return false;
  return (
    services.has(name.replaceAll("-", "_")) ||
    /^(systemd-|dbus-|user-|getty|changeover|org\.|postgresql)/.test(name)
  );
}

/** Accounts of a Debian machine that own no application. */
const accounts = new Set(
  words(`
    root daemon bin sys sync games man lp mail news uucp proxy backup list irc _apt nobody messagebus sshd postgres gluster
    haproxy memcache mysql polkitd ntpsec _chrony systemd-network systemd-resolve systemd-timesync systemd-journal
    uuidd tcpdump rtkit avahi dnsmasq statd _rpc operator halt shutdown adm`),
);

/** Whether an account is the machine's or one of its services', so that it owns no application. */
export const isAccountOfTheMachine = (name: string): boolean =>
  accounts.has(name) || /^(systemd-|_)/.test(name);

/** Variables that make a program load or run something else, whatever it is. */
const loaders =
  /^(LD_|GLIBC_|GCONV_PATH$|MALLOC_|BASH_ENV$|ENV$|IFS$|PATH$|HOME$|SHELL$|USER$|LOGNAME$|PYTHON(PATH|HOME|STARTUP|INSPECT)|PERL5?(LIB|OPT|DB)|RUBY(LIB|OPT)$|NODE_(OPTIONS|PATH)$|JAVA_TOOL_OPTIONS$|_JAVA_OPTIONS$|NOTIFY_SOCKET$|LISTEN_|WATCHDOG_|SYSTEMD_|INVOCATION_ID$|JOURNAL_STREAM$|MAINPID$)/;

/** Variables that the program itself writes. */
const own = /^(ADDRESS|PORT|CONFIGURED|DATABASE_(HOST|PORT|NAME|USER|PASSWORD))$/;

/** What a stack file may not set for an application, and why; undefined: it may. */
export function settingProblem(name: string): string | undefined {
  if (own.test(name)) return "this program sets it itself";
  if (loaders.test(name)) return "it decides which programs and libraries run";
  if (
    /(^|_)(PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|(API|PRIVATE|SECRET|ACCESS)_?KEY|KEY_BASE)(_|$)/.test(
      name,
    )
  )
    return "settings are not secret: they stand in the state and in previews; keep it in a file on the servers";
  return undefined;
}

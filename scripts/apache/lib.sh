# Sourced by the scripts of the old edge: Apache in front of one server.
# shellcheck shell=bash

# shellcheck source=scripts/lib-names.sh
. "$SCRIPTS/lib-names.sh"

# shellcheck disable=SC2034
readonly packages=(apache2 python3 iproute2)

# know_apache COMPONENT POOL: sets POOL, PAGE and conf.
know_apache() {
  require_entry "$2"
  export CHANGEOVER_COMPONENT=$1
  # shellcheck disable=SC2034
  POOL=$2 PAGE=/var/www/changeover-$2/maintenance.html conf=/etc/apache2/sites-available/changeover-$2.conf
}

# Once Apache is uninstalled, no way leads back to it.
require_not_retired() {
  local record=$CHANGEOVER_ROOT/$POOL/apache/retired
  [[ ! -e $record ]] ||
    refuse "Apache was retired on $(value_of "$record" since), so no way leads back to it; keep edge: haproxy, or install apache2 by hand, unpack its configuration ($(value_of "$record" archive)) and remove $record"
}

# keep_once FILE: keep a copy of FILE from before this program.
keep_once() { [[ ! -e $1 || -e $1.before-changeover ]] || cp -a "$1" "$1.before-changeover"; }

# shellcheck disable=SC2154
sites() {
  local bind
  echo "# Pool $POOL. Written by Changeover: a change by hand is lost with the next one of the config."
  for bind in "${binds[@]}"; do echo "Listen $bind"; done
  cat <<END
<VirtualHost ${binds[*]}>
  ServerName $site
  ProxyPreserveHost On
  ProxyPass /changeover-maintenance.html !
  ProxyPass / http://$server/ connectiontimeout=3 timeout=60 retry=0
  Alias /changeover-maintenance.html $PAGE
  <Directory ${PAGE%/*}>
    Require all granted
    Header always set X-Maintenance $POOL
    Header always set Cache-Control no-store
  </Directory>
  ErrorDocument 502 /changeover-maintenance.html
  ErrorDocument 503 /changeover-maintenance.html
  ErrorDocument 504 /changeover-maintenance.html
</VirtualHost>
END
}

page() {
  cat <<END
<!doctype html>
<!-- changeover-maintenance: $POOL -->
<html lang="en">
<title>Maintenance</title>
<h1>We will be back soon</h1>
<p>This site is in maintenance. Please try again in a few minutes.</p>
</html>
END
}

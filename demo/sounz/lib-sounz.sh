# Sourced by install.sh: the files of each part, and restarts of services with changed files.
# shellcheck shell=bash

# place UNIT FILE [MODE]: write stdin into FILE. A changed file marks UNIT for a restart.
place() {
  local text
  text=$(cat)
  [[ ! -e $2 || $text != "$(<"$2")" ]] || return 0
  mkdir -p "$(records)/changed"
  : >"$(records)/changed/$1"
  write_file "$2" "${3:-0644}" <<<"$text"
}

# user NAME ID: a system user without login. The id is the same on both machines, because copies keep numeric ids.
user() {
  id -u "$1" &>/dev/null || useradd --system --uid "$2" --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$1"
}

install_index() {
  local home=/var/lib/apollo core=/var/lib/apollo/apollo file
  user apollo 761
  install -d /usr/share/apollo
  install -d -o apollo -g apollo "$core/data" /var/log/apollo
  # Operators find Solr by this name: ps ax | grep start.jar
  ln -sfn /opt/apollo/jetty-runner.jar /usr/share/apollo/start.jar
  for file in apollo.conf log4j.properties; do place apollo "/etc/apollo/$file" <"$here/$file"; done
  for file in solrconfig.xml schema.xml; do place apollo "$core/conf/$file" <"$here/$file"; done
  place apollo "$home/solr.xml" <"$here/solr.xml"
  place apollo "$core/core.properties" <<<'name=apollo'
  place apollo /etc/systemd/system/apollo.service <"$here/apollo.service"
}

# install_app PASSWORD
install_app() {
  user sounz 762
  install -d -o sounz -g sounz /data/sounz /var/log/sounz/sounz-app
  # Root makes nothing in a folder that another account can change.
  runuser -u sounz -- mkdir -p /data/sounz/works
  place sounz-app@ /usr/share/sounz/app.py <"$here/app.py"
  place sounz-app@ "/etc/$PAIR/app.pass" 0640 <<<"$1"
  chgrp sounz "/etc/$PAIR/app.pass"
  place sounz-app@ /etc/systemd/system/sounz-app@.service <"$here/sounz-app@.service"
}

install_site() {
  local port members=''
  install -d -g adm /var/log/sounz/apache2
  for port in $MONGREL_PORTS; do members+="    BalancerMember http://127.0.0.1:$port retry=1 disablereuse=on\\n"; done
  sed "s|@MEMBERS@|${members%\\n}|" "$here/sounz.org.nz.conf" |
    place apache2 /etc/apache2/sites-available/000-sounz.org.nz.conf
  {
    a2enmod -q proxy proxy_http proxy_balancer lbmethod_byrequests
    a2dissite -q 000-default
    a2ensite -q 000-sounz.org.nz
  } >&2
}

restart_changed() {
  local file
  systemctl daemon-reload
  for file in "$(records)"/changed/*; do
    case ${file##*/} in
      '*') continue ;;
      apache2) timeout 30 systemctl try-reload-or-restart apache2 || timed_out "apache2 does not reload" ;;
      sounz-app@) timeout 30 systemctl try-restart 'sounz-app@*' || timed_out "app servers do not restart" ;;
      *) timeout 30 systemctl try-restart "${file##*/}" || timed_out "${file##*/} does not restart" ;;
    esac
    rm "$file"
  done
}

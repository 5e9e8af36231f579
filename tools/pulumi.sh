#!/bin/sh
# The Pulumi CLI that set-up chose, with its plugins. Without a backend that the user has named (PULUMI_BACKEND_URL,
# PULUMI_ACCESS_TOKEN, pulumi login), state and passphrase are in this user's data folder, outside the checkout.
set -eu

root=$(readlink -f "$0")
root=${root%/tools/pulumi.sh}
chosen=$root/node_modules/.changeover/toolchain.sh

main() {
  # shellcheck source=/dev/null
  if [ -r "$chosen" ]; then . "$chosen"; fi
  if [ ! -x "${CHANGEOVER_PULUMI:-}" ]; then
    echo "there is no Pulumi CLI for this checkout yet; run: npm run setup" >&2
    exit 1
  fi
  user_home=${PULUMI_HOME:-${HOME:-}/.pulumi}
  export PULUMI_CREDENTIALS_PATH="${PULUMI_CREDENTIALS_PATH:-$user_home}"
  if [ -z "${PULUMI_HOME:-}" ]; then
    export PULUMI_HOME="$CHANGEOVER_PULUMI_HOME"
    export PULUMI_IGNORE_AMBIENT_PLUGINS="${PULUMI_IGNORE_AMBIENT_PLUGINS-true}"
  fi
  export PULUMI_SKIP_UPDATE_CHECK="${PULUMI_SKIP_UPDATE_CHECK-true}"
  # Compiled code of the program and the plugins: a third of a second less at each start.
  export NODE_COMPILE_CACHE="${NODE_COMPILE_CACHE-$CHANGEOVER_PULUMI_HOME/compiled}"
  export PATH="$root/node_modules/.bin:$PATH"
  case "${1:-}" in
    login | logout) ;;
    *) has_backend || default_backend ;;
  esac
  exec "$CHANGEOVER_PULUMI" "$@"
}

has_backend() {
  [ -n "${PULUMI_BACKEND_URL:-}${PULUMI_ACCESS_TOKEN:-}" ] ||
    grep -qs '"current": *"[^"]' "$PULUMI_CREDENTIALS_PATH/credentials.json"
}

default_backend() {
  data=${XDG_DATA_HOME:-$HOME/.local/share}/changeover
  if [ ! -r "$data/passphrase" ]; then
    echo "$data/passphrase is missing; run: npm run setup" >&2
    exit 1
  fi
  export PULUMI_BACKEND_URL="file://$data/state"
  if [ -z "${PULUMI_CONFIG_PASSPHRASE+set}" ]; then
    export PULUMI_CONFIG_PASSPHRASE_FILE="${PULUMI_CONFIG_PASSPHRASE_FILE:-$data/passphrase}"
  fi
}

main "$@"

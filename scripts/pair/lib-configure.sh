# Sourced by configure.sh: this machine's file of the pair, and what a machine must not have.
# shellcheck shell=bash

readonly keys=(self peer self_address peer_address primary secondary service_address interface database port peer_port)

write_conf() {
  local pair=$1 word key
  shift
  local -A setting=([clients]='' [network]='')
  for word in "$@"; do setting[${word%%=*}]=${word#*=}; done
  for key in "${keys[@]}"; do [[ -n ${setting[$key]:-} ]] || misuse "configure.sh needs $key=…"; done
  local primary=${setting[self_address]} secondary=${setting[peer_address]}
  [[ ${setting[self]} == "${setting[primary]}" ]] || primary=${setting[peer_address]} secondary=${setting[self_address]}
  {
    printf 'PAIR=%s\nIP_PRIMARY_SERVER=%s\nIP_SECONDARY_SERVER=%s\n' "$pair" "$primary" "$secondary"
    for key in "${keys[@]}" clients network; do printf '%s=%s\n' "${key^^}" "${setting[$key]:-}"; done
    for key in "${!setting[@]}"; do [[ $key != carries.settings.* ]] || printf '%s=%s\n' "${key#carries.settings.}" "${setting[$key]}"; done
    [[ -z ${setting[carries.rsync_port]:-} ]] || printf '%s_rsync_port=%s\n' "$pair" "${setting[carries.rsync_port]}"
  } | write_file "/etc/$pair/$pair.conf"
}

refuse_address_at_boot() {
  local word address='' file
  for word in "$@"; do [[ $word != service_address=* ]] || address=${word#*=}; done
  file=$(python3 -IB -c 'import sys; sys.path.insert(0, sys.argv[1]); import facts; print(facts.in_network_files(sys.argv[2]) or "")' \
    "$SCRIPTS/pair" "$address")
  [[ -z $file ]] || refuse "$file on $HOSTNAME contains the service address $address, so $HOSTNAME would take it at boot; remove it from that file"
}

# A pair that has the name of something else would write into its folder, such as /etc/ssh. A first run that ended in the
# middle of its first file left a draft of that.
refuse_foreign_folder() {
  local folder=/etc/$1
  require_own_path "$folder"
  [[ -e $folder && $(value_of "$folder/$1.conf" PAIR) != "$1" ]] || return 0
  [[ -d $folder && -z $(find "$folder" -mindepth 1 ! -name "$1.conf.??????" -print -quit) ]] ||
    refuse "the folder $folder on $HOSTNAME is there and not of pair $1; name the pair otherwise"
}

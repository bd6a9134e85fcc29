#!/bin/bash
# Makes a booted server one of Lyceum's: packages, user, Python environment, shared files, units. Run by user-data as
# root, from the unpacked release; the same on Amazon Linux 2023 and on Debian 12 but for one table.
#
# Whatever goes wrong is said on standard output, which cloud-init shows on the console, and leaves the server out of
# service: nothing answers on its port, and the load balancer gives it no request.
set -euo pipefail
umask 022

release=${LYCEUM_RELEASE:?is set by user-data}
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly release folder
readonly settings=/etc/lyceum/settings.env current=/opt/lyceum/current units=/etc/systemd/system
# The access point makes everybody this user (infra/modules/files): files show the same owner on server and share.
readonly service_user=lyceum service_id=1500
readonly needed_mib=400

say() { echo "lyceum: $*"; }
refuse() {
  say "out of service: $*"
  # Told already: the trap below need not add a line number to it.
  trap - ERR
  exit 1
}
trap 'say "out of service: line $LINENO of install.sh failed: $BASH_COMMAND"' ERR

# What is looked for, and the package that brings it; "-" where the image has to have it.
#   file                                                 Amazon Linux 2023         Debian 12
readonly packages='
  /usr/bin/python3.11                                    python3.11                python3.11
  /usr/lib*/python3.11/ensurepip                         python3.11                python3.11-venv
  /usr/sbin/logrotate                                    logrotate                 logrotate
  /usr/bin/curl                                          curl-minimal              curl
  /*bin/mount.efs                                        amazon-efs-utils          -
  /*/systemd/system/amazon-cloudwatch-agent.service      amazon-cloudwatch-agent   -
'

install_packages() {
  local id file amazon debian package missing=()
  # shellcheck source=/dev/null
  id=$(. /etc/os-release && echo "$ID")
  while read -r file amazon debian; do
    [ -z "$file" ] || compgen -G "$file" >/dev/null || compgen -G "/usr$file" >/dev/null && continue
    case $id in
      amzn) package=$amazon ;;
      debian) package=$debian ;;
      *) refuse "$id is no distribution that install.sh knows" ;;
    esac
    [ "$package" != - ] || refuse "the image has no $file"
    missing+=("$package")
  done <<<"$packages"
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  case $id in
    amzn) dnf install --quiet --assumeyes "${missing[@]}" ;;
    debian) apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy "${missing[@]}" ;;
  esac || refuse "the packages ${missing[*]} could not be installed"
}

check_room() {
  local free
  free=$(df --output=avail --block-size=1M "$folder" | tail -n 1)
  [ "$free" -ge "$needed_mib" ] || refuse "the disk is full: $((free)) MiB are free, $needed_mib are needed"
}

make_user() {
  id --user "$service_user" >/dev/null 2>&1 && return
  groupadd --gid "$service_id" "$service_user"
  useradd --uid "$service_id" --gid "$service_id" --no-create-home --home-dir /nonexistent \
    --shell /usr/sbin/nologin "$service_user"
}

make_environment() {
  python3.11 -m venv "$folder/venv"
  # From the archive alone: a package index is neither asked nor needed.
  "$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-index \
    --find-links "$folder/wheels" --require-hashes --no-deps --requirement "$folder/requirements.txt"
  rm -r "$folder/wheels"
  "$folder/venv/bin/python" -m compileall -q "$folder/src" "$folder/instance"
  "$folder/venv/bin/python" -m whitenoise.compress --quiet "$folder/static"
}

install_units() {
  local unit shared_unit
  shared_unit=$(systemd-escape --path --suffix=mount "$SHARED_FILES_DIR")
  ln -sfn "$folder" "$current"
  # Never writable while nothing is mounted on it: a file written there would be lost with the server.
  install -d -m 0555 "$SHARED_FILES_DIR"
  install -d -m 0750 /var/log/lyceum /var/lib/lyceum
  install -d -m 0755 /etc/systemd/journald.conf.d
  install -m 0644 "$folder/instance/journald.conf" /etc/systemd/journald.conf.d/lyceum.conf
  for unit in "$folder"/instance/systemd/*; do
    sed -e "s|@SHARED_FILES_DIR@|$SHARED_FILES_DIR|g" -e "s|@SHARED_FILES_PARENT@|$(dirname "$SHARED_FILES_DIR")|g" \
      -e "s|@SHARED_FILES_MOUNT@|$shared_unit|g" -e "s|@FILE_SYSTEM@|$LYCEUM_FILE_SYSTEM_ID|g" \
      -e "s|@ACCESS_POINT@|$LYCEUM_ACCESS_POINT_ID|g" "$unit" >"$units/$(basename "$unit")"
  done
  mv "$units/shared-files.mount" "$units/$shared_unit"
  systemctl daemon-reload
  systemctl try-restart systemd-journald.service
}

start() {
  # Logs first: what the platform says at its start is to be in them.
  systemctl enable --quiet --now lyceum-system-log.service lyceum-logs.timer
  systemctl start lyceum-logs.service || say "logs and metrics are not sent: see journalctl -u lyceum-logs"
  systemctl enable --quiet --now lyceum-shared-files.timer
  systemctl start lyceum-shared-files.service ||
    say "the shared files are not mounted; it is tried again every minute"
  test_release
  systemctl enable --quiet lyceum.service
  systemctl start lyceum.service || refuse "the platform did not start: $(last_words)"
}

# What only another release can mend (settings, migrations that were not run) is known before the first request. A store
# or a secret (78) that is away, or says nothing (124), is not such a thing: when it is back, so is the server.
test_release() {
  local said code=0
  said=$(timeout 90 runuser --user "$service_user" -- \
    "$folder/venv/bin/python" "$folder/instance/launch.py" selftest 2>&1) || code=$?
  case $code in
    0 | 78 | 124) return ;;
  esac
  refuse "the release fails its self-test: $(grep --max-count 1 '^FAILED' <<<"$said" || tail -n 1 <<<"$said")"
}

self_test() {
  local attempt
  for attempt in {1..30}; do
    if curl --silent --fail --max-time 5 --output /dev/null http://127.0.0.1:8000/healthz; then
      say "in service: release $release, asked $attempt times"
      return
    fi
    sleep 2
  done
  # It goes on running: when the database is back, so is the server.
  refuse "the platform runs and is not healthy: $(curl --silent --max-time 5 http://127.0.0.1:8000/healthz || true)"
}

last_words() { tail -n 1 /var/log/lyceum/application.log 2>/dev/null || true; }

[ -r "$settings" ] || refuse "there is no $settings"
set -a
# shellcheck source=/dev/null
. "$settings"
set +a
for name in LYCEUM_DATABASE_ADDRESS LYCEUM_DATABASE_SECRET_ARN LYCEUM_SECRET_KEY_ARN LYCEUM_FILE_SYSTEM_ID \
  LYCEUM_ACCESS_POINT_ID SHARED_FILES_DIR LYCEUM_SYSTEM_LOG_GROUP LYCEUM_APPLICATION_LOG_GROUP; do
  [ -n "${!name:-}" ] || refuse "$settings does not say $name"
done

say "installing release $release"
check_room
install_packages
make_user
make_environment
install_units
start
self_test

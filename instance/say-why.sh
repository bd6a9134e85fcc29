#!/bin/sh
# Says on the console why the platform ended. Run by systemd, as root, whenever it did.
set -eu

[ "${SERVICE_RESULT:-success}" != success ] || exit 0
[ -w /dev/console ] || exit 0
printf 'lyceum: the platform ended (%s, %s %s): %s\n' "$SERVICE_RESULT" "${EXIT_CODE:-?}" "${EXIT_STATUS:-?}" \
  "$(tail -n 1 /var/log/lyceum/application.log 2>/dev/null)" >/dev/console

#!/bin/bash
# get-postgres.sh: makes sure that initdb, pg_ctl and postgres are there for the tests to start servers with.
#
# Nothing is done when they are there already, or when CHARTHOUSE_POSTGRES_BIN names the folder of another
# installation. Otherwise installs Debian's postgresql, without a cluster of its own: the tests make theirs in
# temporary folders. Prints one line that says what was done; exits 1 when nothing worked.
set -euo pipefail

# The folder of the newest installation, as the tests look for it.
newest() {
    find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort --version-sort | tail --lines=1 |
        xargs --no-run-if-empty dirname
}

if [[ -n ${CHARTHOUSE_POSTGRES_BIN:-} ]]; then
    [[ -x $CHARTHOUSE_POSTGRES_BIN/initdb ]] || { echo "get-postgres: no initdb in CHARTHOUSE_POSTGRES_BIN=$CHARTHOUSE_POSTGRES_BIN" >&2; exit 1; }
    echo "get-postgres: using $CHARTHOUSE_POSTGRES_BIN"
    exit 0
fi
folder=$(newest)
if [[ -n $folder ]]; then
    echo "get-postgres: $folder is there already ($("$folder/postgres" --version))"
    exit 0
fi
if [[ $(id --user) != 0 ]] || ! command -v apt-get >/dev/null; then
    echo "get-postgres: install PostgreSQL 14 or newer, or name the folder of its initdb in CHARTHOUSE_POSTGRES_BIN" >&2
    exit 1
fi
# The package would start a server of its own, which nobody needs.
mkdir -p /etc/postgresql-common
[[ -e /etc/postgresql-common/createcluster.conf ]] || echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet >&2
apt-get install --quiet --yes --no-install-recommends postgresql >&2
folder=$(newest)
[[ -n $folder ]] || { echo "get-postgres: Debian's postgresql brought no initdb" >&2; exit 1; }
echo "get-postgres: installed $("$folder/postgres" --version) in $folder"

#!/bin/bash
# get-verifiers.sh TOOLS: puts other people's verifiers into TOOLS/verifiers, a Python environment of its own, and a
# program TOOLS/verifier-python that runs scripts in it.
#
# Nothing is done when what tests/setup/verifiers.txt pins is there already. Installs Debian's python3-venv if there is
# none and it may. Prints one line that says what was done; exits 1 when nothing worked.
set -euo pipefail

tools=${1:?the folder for tools}
pinned=$(dirname "$(readlink --canonicalize "$0")")/verifiers.txt
environment=$tools/verifiers
python=$environment/bin/python

if cmp --silent "$pinned" "$environment/installed.txt" && "$python" -c '' 2>/dev/null; then
    echo "get-verifiers: $environment is there already"
    exit 0
fi
can_make_environments() { python3 -c 'import venv, ensurepip' 2>/dev/null; }
if ! can_make_environments; then
    if [[ $(id --user) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "get-verifiers: install Python 3.10 or newer with its venv module" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet >&2
    apt-get install --quiet --yes --no-install-recommends python3 python3-venv >&2
fi
mkdir --parents "$tools"
rm --recursive --force "$environment"
python3 -m venv "$environment" >&2
"$python" -m pip install --quiet --disable-pip-version-check --only-binary :all: --requirement "$pinned" >&2
cp "$pinned" "$environment/installed.txt"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$(readlink --canonicalize "$environment")/bin/python" >"$tools/verifier-python"
chmod +x "$tools/verifier-python"
echo "get-verifiers: installed $(grep --count == "$pinned") packages in $environment"

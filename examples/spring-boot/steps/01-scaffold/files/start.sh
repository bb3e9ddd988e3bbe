#!/usr/bin/env bash
# Starts target/parcels.jar in the background and waits until it answers; stops the one that ran before.
set -euo pipefail
cd "$(dirname "$0")"

url=http://localhost:8090
bash stop.sh
java -jar target/parcels.jar >app.log 2>&1 &
echo $! >app.pid
for _ in $(seq 60); do
    if ! kill -0 "$(cat app.pid)" 2>/dev/null; then
        echo "the service ended while it started; the last lines of app.log:" >&2
        tail -n 15 app.log >&2
        rm -f app.pid
        exit 1
    fi
    # Any answer counts, a 404 too: it shows that the web server listens.
    if curl --silent --output /dev/null --max-time 2 "$url/"; then
        echo "parcels answers at $url"
        exit 0
    fi
    sleep 1
done
echo "no answer from $url after 60 seconds; see app.log" >&2
exit 1

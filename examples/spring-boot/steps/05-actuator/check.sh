#!/usr/bin/env bash
# The metrics are open, count parcels, and nothing else is open.
set -euo pipefail

url=http://localhost:8090

# status PATH: the status of a GET.
status() { curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$url$1"; }

[[ $(status /actuator/health) == 200 ]] || { echo "The service does not answer as healthy on port 8090. Start it with start.sh."; exit 1; }
for endpoint in metrics prometheus; do
    if [[ $(status "/actuator/$endpoint") != 200 ]]; then
        echo "/actuator/$endpoint is not open. Add it to the exposure list in application.properties, build, restart."
        exit 1
    fi
done
for endpoint in env beans loggers heapdump; do
    if [[ $(status "/actuator/$endpoint") != 404 ]]; then
        echo "/actuator/$endpoint is open to everybody. Open health, metrics and prometheus only."
        exit 1
    fi
done

# accepted: the counter's present value; empty when there is none.
accepted() { curl -s --max-time 5 "$url/actuator/prometheus" | sed -n 's/^parcels_accepted_total \([0-9]*\).*/\1/p'; }

before=$(accepted)
[[ -n $before ]] || { echo "There is no metric parcels_accepted_total. Copy this step's ParcelStore, build, restart."; exit 1; }
curl -s -o /dev/null --max-time 5 -H 'Content-Type: application/json' -d '{"recipient": "Check", "postcode": "1010", "weight": 1}' "$url/api/parcels"
after=$(accepted)
((after == before + 1)) || { echo "After one more parcel the counter went from $before to $after. Is accepted.increment() called once per parcel?"; exit 1; }
echo "The counter counts ($after parcels), and only health, metrics and prometheus are open."

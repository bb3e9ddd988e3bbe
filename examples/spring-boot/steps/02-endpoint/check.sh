#!/usr/bin/env bash
# The endpoint lists at least two parcels and answers 404 for an unknown one.
set -euo pipefail

url=http://localhost:8090/api/parcels
status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$url") || { echo "Nothing answers on port 8090. Start the service with start.sh."; exit 1; }
if [[ $status != 200 ]]; then
    echo "GET /api/parcels answers $status instead of 200. Copy this step's files, build, and restart."
    exit 1
fi
count=$(curl -s --max-time 5 "$url" | grep -o '"id":' | wc -l)
if ((count < 2)); then
    echo "The desk holds $count parcels; two are asked for. Send one of your own (a restart empties the desk)."
    exit 1
fi
status=$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 "$url/987654")
if [[ $status != 404 ]]; then
    echo "An unknown parcel answers $status instead of 404. Compare ParcelController with the file of this step."
    exit 1
fi
echo "The desk holds $count parcels."

#!/usr/bin/env bash
# Bad parcels are refused with a message per field, good ones are accepted.
set -euo pipefail

url=http://localhost:8090/api/parcels

# send BODY: prints the answer's body, a line break and its status.
send() { curl -s --max-time 5 -w '\n%{http_code}' -H 'Content-Type: application/json' -H 'Accept-Language: en' -d "$1" "$url"; }

answer=$(send '{"recipient": " ", "postcode": "x", "weight": -5}') || { echo "Nothing answers on port 8090. Start the service with start.sh."; exit 1; }
if [[ ${answer##*$'\n'} != 400 ]]; then
    echo "A parcel with a blank recipient, postcode x and weight -5 is answered with ${answer##*$'\n'} instead of 400."
    echo "State the rules in ParcelRequest, switch them on in ParcelController, build, restart."
    exit 1
fi
for field in recipient postcode weight; do
    if [[ $answer != *"\"$field\":"* ]]; then
        echo "The answer names no problem with '$field'. Has it a constraint, and is ProblemHandler.java in place? The answer: ${answer%$'\n'*}"
        exit 1
    fi
done
answer=$(send '{"recipient": "Ada", "weight": 750}')
if [[ ${answer##*$'\n'} != 400 ]]; then
    echo "A parcel without a postcode is answered with ${answer##*$'\n'} instead of 400. Which constraint refuses null?"
    exit 1
fi
answer=$(send '{"recipient": "Ada", "postcode": "1010", "weight": 20001}')
if [[ ${answer##*$'\n'} != 400 ]]; then
    echo "A parcel of 20001 grams is answered with ${answer##*$'\n'} instead of 400. Set the largest weight."
    exit 1
fi
answer=$(send '{"recipient": "Ada", "postcode": "1010", "weight": 750}')
if [[ ${answer##*$'\n'} != 201 ]]; then
    echo "A good parcel is answered with ${answer##*$'\n'} instead of 201: $answer"
    exit 1
fi
echo "Bad parcels are refused, good ones accepted."

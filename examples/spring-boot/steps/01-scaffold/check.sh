#!/usr/bin/env bash
# The jar is built and the service answers as healthy.
set -euo pipefail

cd ~/parcels 2>/dev/null || { echo "There is no folder ~/parcels. Make it and copy the first step's files into it."; exit 1; }
[[ -f pom.xml ]] || { echo "pom.xml is missing in ~/parcels. Copy the first step's files there."; exit 1; }
[[ -f target/parcels.jar ]] || { echo "target/parcels.jar is missing. Build it with Maven and read the first [ERROR] line if that fails."; exit 1; }
if ! answer=$(curl -s --max-time 5 http://localhost:8090/actuator/health); then
    echo "Nothing answers on port 8090. Start the service with start.sh; app.log says why it ended if it does."
    exit 1
fi
if [[ $answer != *'"status":"UP"'* ]]; then
    echo "The service answers, but not as healthy: $answer"
    exit 1
fi
echo "The service runs and is healthy."

#!/usr/bin/env bash
# The Containerfile ships a runtime alone and does not run as root; a built image is inspected where there is one.
set -euo pipefail

cd ~/parcels 2>/dev/null || { echo "There is no folder ~/parcels. Begin with the first step."; exit 1; }
[[ -f Containerfile ]] || { echo "Containerfile is missing in ~/parcels. Copy this step's files."; exit 1; }
shipped=$(tac Containerfile | sed '/^FROM /q' | tac)
if (($(grep -c '^FROM ' Containerfile) < 2)); then
    echo "The Containerfile has one stage only. Build in one, ship the other."
    exit 1
fi
if grep -E '^FROM ' Containerfile | grep -Eq ':latest( |$)|^FROM [^: ]+( |$)'; then
    echo "A FROM line names no fixed version: $(grep -E '^FROM ' Containerfile | tr '\n' ';')"
    exit 1
fi
user=$(sed -n 's/^USER  *//p' <<<"$shipped" | tail -n 1)
if [[ -z $user ]]; then
    echo "The last stage sets no user, so the service would run as root."
    exit 1
elif [[ ! $user =~ ^[1-9][0-9]*(:[0-9]+)?$ ]]; then
    echo "USER is '$user'. Use a number other than 0, such as 10001, so that it can be verified."
    exit 1
fi
[[ -f .containerignore ]] || { echo ".containerignore is missing. Keep target and the log out of the build."; exit 1; }
for name in target app.log app.pid; do
    grep -qx "$name/\?" .containerignore || { echo ".containerignore does not exclude $name."; exit 1; }
done
image=localhost/parcels:1.0.0
if command -v podman >/dev/null && podman image exists "$image" 2>/dev/null; then
    built=$(podman image inspect --format '{{.Config.User}}' "$image")
    [[ $built == "$user" ]] || { echo "The image $image runs as '$built', the Containerfile says '$user'. Build it again."; exit 1; }
    echo "The Containerfile and the image $image are in order."
else
    echo "The Containerfile is in order. The image itself was not checked: podman has none called $image."
fi

#!/usr/bin/env bash
# The account reporter may read pods and logs, and nothing that it does not need.
set -euo pipefail

kubectl get namespace shop >/dev/null || { echo "There is no namespace shop, or the cluster cannot be reached (see above)."; exit 1; }
kubectl get serviceaccount reporter -n shop >/dev/null || { echo "There is no ServiceAccount reporter in shop. Apply reporter.yaml."; exit 1; }

# may WORDS...: whether the account reporter may do that.
may() { [[ $(kubectl auth can-i "$@" -n shop --as=system:serviceaccount:shop:reporter 2>/dev/null) == yes ]]; }

may list pods || { echo "reporter may not list pods. Are the role and its binding applied?"; exit 1; }
may get pods --subresource=log || { echo "reporter may not read logs yet. Add a rule for the subresource to the role."; exit 1; }
for right in "delete pods" "create pods" "get secrets" "update pods --subresource=log" "create pods --subresource=exec"; do
    read -r -a words <<<"$right"
    if may "${words[@]}"; then
        echo "reporter may $right, which it does not need. Take it out of the role."
        exit 1
    fi
done
if [[ $(kubectl get serviceaccount reporter -n shop -o jsonpath='{.automountServiceAccountToken}') != false ]]; then
    echo "The token of reporter is mounted into every pod. Set automountServiceAccountToken to false."
    exit 1
fi
echo "reporter may read pods and their logs, and nothing more."

#!/usr/bin/env bash
# Everything is closed, names resolve, and one way is open at both of its ends. Reads the policies; whether the cluster's
# network plugin enforces them cannot be read from the API.
set -euo pipefail

# show NAME PATH: a field of a policy; fails when there is no such policy.
show() { kubectl get networkpolicy "$1" -n shop -o jsonpath="$2" 2>/dev/null; }

selector=$(show default-deny '{.spec.podSelector}') || { echo "There is no policy default-deny in shop. Apply default-deny.yaml."; exit 1; }
if [[ $selector != '{}' || $(show default-deny '{.spec.ingress}{.spec.egress}') != "" ]]; then
    echo "default-deny does not close all pods. It must select all ({}) and allow nothing."
    exit 1
fi
if [[ $(show default-deny '{.spec.policyTypes[*]}') != *Ingress*Egress* ]]; then
    echo "default-deny must name both directions, Ingress and Egress."
    exit 1
fi
[[ $(show allow-dns '{.spec.egress[*].ports[*].port}') == *53* ]] || { echo "Pods cannot resolve names: apply allow-dns.yaml."; exit 1; }

# way NAME SELECTED DIRECTION PEERS OTHER: one end of the way from frontend to api.
way() {
    local rules
    [[ $(show "$1" '{.spec.podSelector.matchLabels.app}') == "$2" ]] || { echo "The policy $1 is missing or does not select app: $2."; return 1; }
    rules=$(show "$1" "{range .spec.$3[*]}{.$4[*].podSelector.matchLabels.app}:{.ports[*].port};{end}")
    if [[ $rules != "$5:8080;" ]]; then
        echo "The policy $1 must allow $3 for app: $5 at port 8080 and nothing else; it says '${rules:-nothing}'."
        return 1
    fi
}

way api-from-frontend api ingress from frontend || exit 1
way frontend-to-api frontend egress to api || exit 1
echo "The policies close everything but DNS and the way from frontend to api."

#!/usr/bin/env bash
# Asks the API server what each ServiceAccount of a namespace may do that it should not. Exits 1 when there is a finding.
set -euo pipefail

namespace=${1:-shop}
risky=(
    "get secrets"
    "list secrets"
    "create pods"
    "create pods --subresource=exec"
    "create rolebindings.rbac.authorization.k8s.io"
    "impersonate serviceaccounts"
    "* *"
)
findings=0
accounts=$(kubectl get serviceaccounts -n "$namespace" -o jsonpath='{.items[*].metadata.name}')
for account in $accounts; do
    for right in "${risky[@]}"; do
        read -r -a words <<<"$right"
        # `can-i` exits 1 for "no", so the answer's text decides; anything but yes or no is an error.
        answer=$(kubectl auth can-i "${words[@]}" -n "$namespace" \
            --as="system:serviceaccount:$namespace:$account" 2>&1) || true
        case $answer in
        *yes) echo "FINDING $account may $right" && findings=$((findings + 1)) ;;
        *no | *no\ -*) ;;
        *) echo "could not ask: $answer" >&2 && exit 2 ;;
        esac
    done
done
echo "$findings findings for the ServiceAccounts of $namespace: $accounts"
((findings == 0))

#!/usr/bin/env bash
# No ServiceAccount of the namespace has a dangerous right, and reporter can still work.
set -euo pipefail

# may ACCOUNT WORDS...: yes or no; anything else is printed and ends the check.
may() {
    local account=$1 answer
    shift
    answer=$(kubectl auth can-i "$@" -n shop --as="system:serviceaccount:shop:$account" 2>/dev/null) || true
    [[ $answer == yes || $answer == no* ]] || { echo "The API server gave no answer; can you reach the cluster as administrator?"; exit 1; }
    [[ $answer == yes ]]
}

accounts=$(kubectl get serviceaccounts -n shop -o jsonpath='{.items[*].metadata.name}') || { echo "There is no namespace shop."; exit 1; }
[[ -n $accounts ]] || { echo "The namespace shop has no ServiceAccounts, so there is no namespace shop. Begin with the first step."; exit 1; }
[[ -f ~/secure-namespace/inherited.yaml ]] || { echo "inherited.yaml is missing in ~/secure-namespace. Copy the workshop's files."; exit 1; }
for account in $accounts; do
    for right in "get secrets" "list secrets" "create pods" "create pods --subresource=exec" "impersonate serviceaccounts"; do
        read -r -a words <<<"$right"
        if may "$account" "${words[@]}"; then
            echo "$account may still $right. Which binding names this account?"
            exit 1
        fi
    done
done
if kubectl get role helper -n shop >/dev/null 2>&1; then
    echo "The role helper is still there, though nobody needs it. Remove it."
    exit 1
fi
grep -q '^0 findings' ~/secure-namespace/audit.txt 2>/dev/null || { echo "The evidence is missing: write the output of a clean audit into ~/secure-namespace/audit.txt."; exit 1; }
may reporter list pods || { echo "reporter may not list pods any more. Apply reporter.yaml again."; exit 1; }
may reporter get pods --subresource=log || { echo "reporter may not read logs any more. Add the rule for logs to its role again."; exit 1; }
echo "No dangerous rights are left, and reporter can work."

#!/usr/bin/env bash
# The namespace refuses what is not restricted, and the application runs under that rule.
set -euo pipefail

level=$(kubectl get namespace shop -o jsonpath='{.metadata.labels.pod-security\.kubernetes\.io/enforce}') || { echo "There is no namespace shop."; exit 1; }
if [[ $level != restricted ]]; then
    echo "The namespace enforces '${level:-nothing}' instead of restricted. Set the enforce label."
    exit 1
fi
if kubectl run pod-security-check -n shop --image=docker.io/library/busybox:stable --privileged --dry-run=server >/dev/null 2>&1; then
    echo "A privileged pod would still be admitted. Is an admission exemption configured in this cluster?"
    exit 1
fi
kubectl get deployment api -n shop >/dev/null || { echo "There is no Deployment api. Apply api.yaml."; exit 1; }
if ! warnings=$(kubectl get deployment api -n shop -o yaml | kubectl replace --dry-run=server -f - 2>&1 >/dev/null); then
    echo "The Deployment could not be judged: $warnings"
    exit 1
fi
if [[ $warnings == *PodSecurity* ]]; then
    echo "The pods of api still break the standard: $warnings"
    exit 1
fi
if ! kubectl rollout status deployment/api -n shop --timeout=45s >/dev/null; then
    echo "The new pods of api are not ready. Look at: kubectl get events -n shop"
    exit 1
fi
echo "Only restricted pods are admitted, and api is one."

#!/usr/bin/env bash
# No pod of the namespace has a Secret in its environment, and the one that mounts it is there.
set -euo pipefail

kubectl get secret database -n shop >/dev/null || { echo "There is no Secret database in shop. Create it."; exit 1; }
leaks=$(kubectl get pods -n shop -o jsonpath='{range .items[*]}{.metadata.name}={.spec.containers[*].env[*].valueFrom.secretKeyRef.name}{.spec.containers[*].envFrom[*].secretRef.name}{.spec.initContainers[*].env[*].valueFrom.secretKeyRef.name}{.spec.initContainers[*].envFrom[*].secretRef.name}{"\n"}{end}' | sed -n '/=./p')
if [[ -n $leaks ]]; then
    echo "These pods have a Secret in their environment (pod=secret): $leaks"
    echo "Mount it as a file instead, and delete the pod."
    exit 1
fi
mounted=$(kubectl get pod tight -n shop -o jsonpath='{.spec.volumes[*].secret.secretName}') || { echo "The pod tight is gone. Apply tight.yaml."; exit 1; }
[[ " $mounted " == *" database "* ]] || { echo "The pod tight does not mount the Secret database. Apply tight.yaml again."; exit 1; }
echo "The Secret is mounted as a file, and no environment holds it."

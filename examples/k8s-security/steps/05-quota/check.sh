#!/usr/bin/env bash
# Quota and defaults are set, nothing can be opened on the nodes, and the namespace's workloads have limits.
set -euo pipefail

hard=$(kubectl get quota shop -n shop -o jsonpath='{.spec.hard}') || { echo "There is no ResourceQuota shop. Apply quota.yaml."; exit 1; }
for name in pods limits.cpu limits.memory requests.cpu requests.memory; do
    [[ $hard == *"\"$name\":"* ]] || { echo "The quota does not limit $name."; exit 1; }
done
for name in services.nodeports services.loadbalancers; do
    [[ $hard == *"\"$name\":\"0\""* ]] || { echo "The quota does not forbid $name."; exit 1; }
done
kubectl get limitrange shop -n shop >/dev/null || { echo "There is no LimitRange shop. Apply limits.yaml."; exit 1; }
kubectl get pod tight -n shop >/dev/null || { echo "The pod tight is missing. Create it again, after the LimitRange."; exit 1; }
replicas=$(kubectl get deployment api -n shop -o jsonpath='{.spec.replicas}') || { echo "There is no Deployment api."; exit 1; }
((replicas == 1)) || { echo "api is scaled to $replicas. Scale it back to 1."; exit 1; }

# Pods on their way out are passed over.
# shellcheck disable=SC2016  # $pod belongs to the template
without=$(kubectl get pods -n shop -l app=api -o go-template='{{range .items}}{{if not .metadata.deletionTimestamp}}{{$pod := .metadata.name}}{{range .spec.containers}}{{if not .resources.limits}}{{$pod}} {{end}}{{end}}{{end}}{{end}}')
[[ -z $without ]] || { echo "These pods of api were made before the LimitRange and have no limits: ${without}Restart the Deployment."; exit 1; }
limit=$(kubectl get pod tight -n shop -o jsonpath='{.spec.containers[0].resources.limits.memory}')
[[ -n $limit ]] || { echo "The pod tight has no memory limit: it was made before the LimitRange. Delete it and create it anew."; exit 1; }
echo "The namespace is limited, and so is each of its containers."

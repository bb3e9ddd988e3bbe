# What must hold before anything is changed.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

preflight() {
  check_tools
  read_namespaces
  check_ownership
  find_exposure
  read_core
  find_host
  settle_exposure
  check_rights
  read_nodes
  if [[ $CORE_STATE == absent && $SHARED == false ]]; then
    die "the shared core is not on this cluster (no workloads in namespace $CORE), and SHARED is false." \
      "deploy the core first (kubectl apply -k overlays/shared-infrastructure), or say true for SHARED."
  fi
  render_workshop >/dev/null
  [[ $CORE_STATE != absent ]] || render_core >/dev/null
  say "address: ${HOST:+https://$HOST/ by }$(exposure_in_words)"
  check_room
}

check_tools() {
  local tool
  for tool in openssl awk sed tar gzip; do
    command -v "$tool" >/dev/null || die "$tool is not installed." "install it with the system's packages."
  done
  find_client
}

# read_namespaces: CORE_LABELS and OWN_LABELS are `phase|role|name|part-of|deploying`, or empty where there is no such namespace.
read_namespaces() {
  local found name rest
  CORE_LABELS='' OWN_LABELS=''
  found=$(kube get "namespace/$CORE" "namespace/$NAMESPACE" --ignore-not-found -o jsonpath='{range .items[*]}{.metadata.name}{"|"}{.status.phase}{"|"}{.metadata.labels.workshop-role}{"|"}{.metadata.labels.workshop-name}{"|"}{.metadata.labels.app\.kubernetes\.io/part-of}{"|"}{.metadata.annotations.workshop-assistant/deploying}{"\n"}{end}') ||
    cannot_ask
  while IFS='|' read -r name rest; do
    [[ $name != "$CORE" ]] || CORE_LABELS=$rest
    [[ $name != "$NAMESPACE" ]] || OWN_LABELS=$rest
  done <<<"$found"
}

cannot_ask() {
  # Who may not even see namespaces is told all that is missing.
  if grep -q Forbidden "$WORK/error"; then EXPOSURE='' check_rights; fi
  die "the cluster cannot be asked: $(last_error)" "check your kubeconfig (${CLIENT[*]} get namespaces); --context names another one."
}

check_ownership() {
  [[ -z $CORE_LABELS ]] || check_core_owner
  [[ -n $OWN_LABELS ]] || return 0
  check_owner
  [[ ${OWN_LABELS%%|*} == Active ]] || die "namespace $NAMESPACE is ${OWN_LABELS%%|*}." "wait until it is gone, then run $(again)."
}

check_core_owner() {
  local phase role part _
  IFS='|' read -r phase role _ part _ <<<"$CORE_LABELS"
  [[ $role == shared-infrastructure && $part == workshop-assistant ]] ||
    die "namespace $CORE is there, and is not labelled as the shared core of workshops: it is somebody else's." \
      "find out whose it is; if it is yours, label it workshop-role=shared-infrastructure and app.kubernetes.io/part-of=workshop-assistant."
  [[ $phase == Active ]] || die "namespace $CORE is $phase." "wait until it is gone, then run $(again)."
}

check_owner() {
  local role name part _
  IFS='|' read -r _ role name part _ <<<"$OWN_LABELS"
  [[ $role == dedicated-instance && $part == workshop-assistant && $name == "$NAME" ]] ||
    die "namespace $NAMESPACE is there, and is not that of workshop $NAME: it is somebody else's." \
      "choose another NAME, or ask the namespace's owner."
}

# rights_needed: VERB GROUP/RESOURCE NAMESPACE (- for the cluster), one a line, for what this call will do.
rights_needed() {
  local resource
  if [[ $ACTION == delete ]]; then
    printf '%s\n' "delete /namespaces -" "get /namespaces -"
    [[ -z $OWN_LABELS ]] || printf '%s\n' "patch apps/deployments $NAMESPACE" "list /pods $NAMESPACE"
    for resource in /secrets /configmaps /serviceaccounts batch/jobs networking.k8s.io/networkpolicies; do
      printf '%s\n' "list $resource $CORE" "delete $resource $CORE"
    done
    printf '%s\n' "create batch/jobs $CORE" "patch batch/jobs $CORE" "create /serviceaccounts $CORE" "patch /serviceaccounts $CORE"
    skipped content || printf '%s\n' "create /pods/exec $CORE"
    return
  fi
  printf '%s\n' "patch /namespaces -" "get /namespaces -"
  [[ -n $OWN_LABELS ]] || printf '%s\n' "create /namespaces -"
  for resource in /secrets /configmaps /services /serviceaccounts /resourcequotas /limitranges apps/deployments \
    policy/poddisruptionbudgets networking.k8s.io/networkpolicies; do
    printf '%s\n' "get $resource $NAMESPACE" "create $resource $NAMESPACE" "patch $resource $NAMESPACE"
  done
  for resource in /secrets /configmaps /serviceaccounts batch/jobs networking.k8s.io/networkpolicies; do
    printf '%s\n' "get $resource $CORE" "create $resource $CORE" "patch $resource $CORE"
  done
  printf '%s\n' "delete batch/jobs $CORE" "list apps/statefulsets $CORE" "list apps/deployments $CORE"
  case $EXPOSURE in
  openshift-route)
    printf '%s\n' "create route.openshift.io/routes $NAMESPACE" "patch route.openshift.io/routes $NAMESPACE" \
      "create route.openshift.io/routes/custom-host $NAMESPACE"
    ;;
  gateway-api) printf '%s\n' "create gateway.networking.k8s.io/httproutes $NAMESPACE" "patch gateway.networking.k8s.io/httproutes $NAMESPACE" ;;
  ingress) printf '%s\n' "create networking.k8s.io/ingresses $NAMESPACE" "patch networking.k8s.io/ingresses $NAMESPACE" ;;
  esac
  skipped content && skipped smoke || printf '%s\n' "create /pods/exec $CORE"
  [[ -n $CORE_LABELS || $SHARED == false ]] ||
    printf '%s\n' "list /secrets $CORE" "create apps/statefulsets $CORE" "create /services $CORE" "create policy/poddisruptionbudgets $CORE"
}

# check_rights: what `auth can-i` asks, all in one call.
check_rights() {
  local reviews='' verb resource namespace denied
  while read -r verb resource namespace; do
    reviews+=$(review "$verb" "$resource" "$namespace")$'\n'
  done < <(rights_needed)
  denied=$(feed "$reviews" create --validate=false -f - -o go-template='{{if not .status.allowed}}{{with .spec.resourceAttributes}}{{.verb}} {{.resource}}{{with .subresource}}/{{.}}{{end}}{{with .namespace}} in {{.}}{{end}}; {{end}}{{end}}') ||
    die "it cannot be found out what you may do: $(last_error)" "check your kubeconfig (${CLIENT[*]} auth can-i --list)."
  [[ -z $denied ]] ||
    die "you may not: ${denied%; }." "ask the cluster's administrator for these rights (overlays/workshop-deployer is a role that has them), then run $(again)."
}

review() {
  local group=${2%%/*} resource=${2#*/} sub=''
  [[ $resource != */* ]] || sub="subresource: ${resource#*/}, "
  resource=${resource%%/*}
  [[ $3 == - ]] || sub+="namespace: $3, "
  printf -- '---\n{apiVersion: authorization.k8s.io/v1, kind: SelfSubjectAccessReview, spec: {resourceAttributes: {%sverb: %s, group: "%s", resource: %s}}}' \
    "$sub" "$1" "$group" "$resource"
}

# read_nodes: ALLOCATABLE, a line `cpu memory` for each node that takes pods; NODES_KNOWN is false where nodes may not be listed.
read_nodes() {
  NODES_KNOWN=true
  ALLOCATABLE=$(kube get nodes -o jsonpath='{range .items[*]}{.spec.unschedulable}{"|"}{.status.allocatable.cpu}{"|"}{.status.allocatable.memory}{"\n"}{end}') ||
    NODES_KNOWN=false
  ALLOCATABLE=$(awk -F'|' 'NF > 1 && $1 != "true" {print $2, $3}' <<<"$ALLOCATABLE")
}

check_room() {
  local have_c have_m used_c used_m need_c need_m used
  if ! $NODES_KNOWN; then
    warn "room in the cluster is not checked: you may not list nodes."
    return
  fi
  if ! used=$(kube get pods -A --field-selector=status.phase!=Succeeded,status.phase!=Failed -o go-template="$POD_REQUESTS"); then
    warn "room in the cluster is not checked: you may not list pods."
    return
  fi
  read -r have_c have_m < <(awk 'NF {print 1, $0}' <<<"$ALLOCATABLE" | total)
  read -r used_c used_m < <(total <<<"$used")
  read -r need_c need_m < <(needed | total)
  say "room: $(amount "$need_c" "$need_m") needed, $(amount $((have_c - used_c)) $((have_m - used_m))) free of $(amount "$have_c" "$have_m")"
  ((used_c + need_c <= have_c && used_m + need_m <= have_m)) ||
    die "there is no room: $(amount "$need_c" "$need_m") are needed; the nodes have $(amount "$have_c" "$have_m"), of which pods request $(amount "$used_c" "$used_m") already." \
      "add a node or delete a workshop, then run $(again)."
}

# needed: `replicas cpu memory`, a line each, of what is not there yet.
needed() {
  [[ $CORE_STATE != absent ]] || render_core | manifest_requests
  [[ -n $OWN_LABELS ]] || render_workshop | manifest_requests
}

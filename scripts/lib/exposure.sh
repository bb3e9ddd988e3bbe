# By what people reach the workshop: OpenShift's Route, the Gateway API's HTTPRoute, an Ingress, or nothing of the cluster's.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

readonly A_HOST='^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$'

# serves GROUP/VERSION: whether the API server has it.
serves() { [[ $'\n'$OFFERED$'\n' == *$'\n'"$1"$'\n'* ]]; }

read_offers() { OFFERED=$(kube api-versions) || die "the cluster cannot be asked what it offers: $(last_error)" "run $(again)."; }

# find_exposure: sets EXPOSURE to the component by which people could reach the workshop, or to nothing where the cluster offers none.
# GATEWAY has a line for each Gateway where none was named; INGRESS_CLASS is what an Ingress must name, where it must.
find_exposure() {
  local classes
  EXPOSURE='' INGRESS_CLASS=''
  read_offers
  if [[ -n $GATEWAY ]]; then
    check_gateway
    EXPOSURE=gateway-api
  elif serves route.openshift.io/v1; then
    EXPOSURE=openshift-route
  elif serves gateway.networking.k8s.io/v1 && GATEWAY=$(list_gateways) && [[ -n $GATEWAY ]]; then
    EXPOSURE=gateway-api
  elif classes=$(list_ingress_classes) && [[ -n $classes ]]; then
    EXPOSURE=ingress
    # One that is the default takes an Ingress that names none; where none is, nobody would.
    [[ $classes == *"|true"* ]] || INGRESS_CLASS=${classes//|/}
  fi
}

# Whoever may not list them does without, and is told.
list_gateways() {
  kube get gateways.gateway.networking.k8s.io -A -o jsonpath='{range .items[*]}{.metadata.namespace}/{.metadata.name}{"\n"}{end}' ||
    warn "Gateways cannot be listed: $(last_error). --gateway NAMESPACE/NAME uses one all the same."
}

# list_ingress_classes: NAME| a line, and NAME|true for the default.
list_ingress_classes() {
  kube get ingressclasses -o jsonpath='{range .items[*]}{.metadata.name}{"|"}{.metadata.annotations.ingressclass\.kubernetes\.io/is-default-class}{"\n"}{end}' |
    sed 's/|false$/|/' || warn "IngressClasses cannot be listed: $(last_error). No Ingress is made."
}

check_gateway() {
  local there
  serves gateway.networking.k8s.io/v1 ||
    die "--gateway names $GATEWAY, and the cluster does not have the Gateway API (gateway.networking.k8s.io/v1)." \
      "leave --gateway out, or install the Gateway API and a Gateway."
  kube get gateways.gateway.networking.k8s.io "${GATEWAY#*/}" -n "${GATEWAY%%/*}" -o name >/dev/null && return
  # Whoever may not see it may know it all the same.
  ! grep -q NotFound "$WORK/error" || {
    there=$(list_gateways)
    die "there is no Gateway $GATEWAY; the cluster has: ${there:-none}." "name one by --gateway NAMESPACE/NAME."
  }
}

# find_host: HOST, where it was not given: what --values says, else NAME in the pattern of the core's workshops, else in OpenShift's
# domain of applications, else the host that the workshop has already. Sets WHY_NO_HOST where there is none.
find_host() {
  WHY_NO_HOST='no host is known for it: say --host HOST, or set CONSOLE_WORKSHOP_URL of the core'
  [[ -z $HOST ]] || return 0
  HOST=$(said_host)
  [[ -z $HOST ]] || WHY_NO_HOST="CHAT_PUBLIC_URL of --values is not https://HOST"
  if [[ -z $HOST ]]; then HOST=$(host_of_core); fi
  if [[ -z $HOST && $EXPOSURE == openshift-route ]]; then HOST=$(host_of_openshift); fi
  if [[ -z $HOST && -n $OWN_LABELS ]]; then HOST=$(own_host); fi
  # localhost, a port or a path is nothing that the cluster could serve.
  [[ $HOST =~ $A_HOST ]] || HOST=''
}

# host_of URL: what stands between the scheme and the path.
host_of() {
  local rest=${1#*://}
  printf '%s' "${rest%%/*}"
}

said_host() { [[ -z $VALUES ]] || host_of "$(sed -n 's/^CHAT_PUBLIC_URL=//p' "$VALUES" | tail -n 1)"; }

host_of_core() {
  local pattern=''
  if [[ $CORE_STATE == absent ]]; then
    [[ $SHARED == false ]] || pattern=$(render_core | sed -n "s/^  CONSOLE_WORKSHOP_URL: //p" | tr -d "\"'")
  elif [[ -n $CONSOLE_CONFIG ]]; then
    pattern=$(kube get configmap "$CONSOLE_CONFIG" -n "$CORE" -o jsonpath='{.data.CONSOLE_WORKSHOP_URL}') || pattern=''
  fi
  pattern=$(host_of "$pattern")
  # One host for all of them is none for this one.
  [[ $pattern != *"{workshop}"* ]] || printf '%s' "${pattern//\{workshop\}/$NAME}"
}

host_of_openshift() {
  local domain
  domain=$(kube get ingresses.config.openshift.io cluster -o jsonpath='{.spec.domain}') || domain=''
  [[ -z $domain ]] || printf '%s.%s' "$NAME" "$domain"
}

own_host() { host_of "$(kube get configmap chat-agent -n "$NAMESPACE" --ignore-not-found -o jsonpath='{.data.CHAT_PUBLIC_URL}' || true)"; }

# settle_exposure: with the host known, one offer or none. Without a host nothing is made that people could reach.
settle_exposure() {
  if [[ -z $HOST ]]; then EXPOSURE=''; fi
  [[ $EXPOSURE != gateway-api || $GATEWAY != *$'\n'* ]] ||
    die "the cluster has several Gateways: ${GATEWAY//$'\n'/, }." "name one by --gateway NAMESPACE/NAME."
  [[ $EXPOSURE != ingress || $INGRESS_CLASS != *$'\n'* ]] ||
    die "the cluster has several IngressClasses, and none is the default: ${INGRESS_CLASS//$'\n'/, }." \
      "make one the default: ${CLIENT[*]} annotate ingressclass NAME ingressclass.kubernetes.io/is-default-class=true"
}

exposure_in_words() {
  case $EXPOSURE in
  openshift-route) printf 'a Route' ;;
  gateway-api) printf 'an HTTPRoute of Gateway %s' "$GATEWAY" ;;
  ingress) printf 'an Ingress%s' "${INGRESS_CLASS:+ of class $INGRESS_CLASS}" ;;
  *)
    if [[ -n $HOST ]]; then
      printf 'nothing of this cluster, which has neither Routes, nor a Gateway, nor an IngressClass'
    else
      printf 'none outside the cluster; %s' "$WHY_NO_HOST"
    fi
    ;;
  esac
}

# address_kinds: the kinds of addresses that this cluster knows, as `kubectl get` takes them.
address_kinds() {
  printf 'ingresses.networking.k8s.io'
  ! serves route.openshift.io/v1 || printf ',routes.route.openshift.io'
  ! serves gateway.networking.k8s.io/v1 || printf ',httproutes.gateway.networking.k8s.io'
}

# other_addresses: a line for each address that an earlier run made by another offer, as `kubectl delete` takes it.
other_addresses() {
  local found name wanted=''
  case $EXPOSURE in
  openshift-route) wanted=route.route.openshift.io/chat-agent ;;
  gateway-api) wanted=httproute.gateway.networking.k8s.io/chat-agent ;;
  ingress) wanted=ingress.networking.k8s.io/chat-agent ;;
  esac
  found=$(kube get "$(address_kinds)" -n "$NAMESPACE" -l app.kubernetes.io/part-of=workshop-assistant -o name) ||
    warn "whether an address of an earlier run is left is not known: $(last_error)"
  # OpenShift itself makes Routes of Ingresses, with the same labels and names of its own.
  while read -r name; do
    [[ $name != */chat-agent || $name == "$wanted" ]] || printf '%s\n' "$name"
  done <<<"$found"
}

# drop_other_addresses: so that there is one address and not two.
drop_other_addresses() {
  local name
  while read -r name; do
    [[ -n $name ]] || continue
    if kube delete "$name" -n "$NAMESPACE" --ignore-not-found --wait=false >/dev/null; then
      say "removed $name of an earlier run"
    else
      warn "$name of an earlier run is still there: $(last_error)"
    fi
  done <<<"$(other_addresses)"
}

# KIND|what its controller says: a word for each condition that does not hold, and how many hold.
readonly ADDRESSES='{{range .items}}{{if eq .metadata.name "chat-agent"}}{{.kind}}|{{with .status}}{{with .loadBalancer}}{{range .ingress}}+at {{or .hostname .ip}} {{end}}{{end}}{{range .ingress}}{{range .conditions}}{{if eq .status "True"}}+{{else}}{{.type}}={{.status}} {{printf "%.150q" (or .message .reason "")}} {{end}}{{end}}{{end}}{{range .parents}}{{range .conditions}}{{if eq .status "True"}}+{{else}}{{.type}}={{.status}} {{printf "%.150q" (or .message .reason "")}} {{end}}{{end}}{{end}}{{end}}{{"\n"}}{{end}}{{end}}'

# address_states: a line `KIND: state` for each address of the workshop.
address_states() {
  local found kind said
  found=$(kube get "$(address_kinds)" -n "$NAMESPACE" -l app.kubernetes.io/part-of=workshop-assistant -o go-template="$ADDRESSES") || {
    printf 'not known: %s\n' "$(last_error)"
    return
  }
  while IFS='|' read -r kind said; do
    [[ -n $kind ]] || continue
    case $said in
    *=*) printf '%s: refused, %s\n' "$kind" "${said//+/}" ;;
    +*) printf '%s: taken %s\n' "$kind" "${said//+/}" ;;
    *) printf '%s: its controller has not answered yet\n' "$kind" ;;
    esac
  done <<<"$found"
}

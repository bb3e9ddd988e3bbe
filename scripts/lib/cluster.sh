# kubectl or oc: one way to call it, which waits for an API server that restarts, and keeps what is secret out of argv and files.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

readonly CORE=workshop-core-system MANAGER=workshop-deploy
# How long a call goes on when the API server does not answer, at most.
readonly PATIENCE=60
readonly PASSING='connection refused|connection reset|was refused|EOF|i/o timeout|TLS handshake timeout|no route to host|ServiceUnavailable|server is currently unable|etcdserver|leader changed|context deadline exceeded|Client\.Timeout|request canceled|client connection lost|TooManyRequests|object has been modified|InternalError|unexpected error when reading response'

find_client() {
  local name
  for name in kubectl oc; do
    if command -v "$name" >/dev/null; then
      CLIENT=("$name" ${CONTEXT:+--context "$CONTEXT"})
      return
    fi
  done
  die "neither kubectl nor oc is installed." "install one of them: https://kubernetes.io/docs/tasks/tools/"
}

last_error() { if [[ -s $WORK/error ]]; then tail -n 5 "$WORK/error" | cut -c1-500; else printf 'a command ended with an error'; fi; }

# feed TEXT ARGUMENT...: the client with TEXT as its input, tried again while the API server does not answer.
# Its output is the function's; what it complained of is in last_error. It only ever does what may be done twice.
feed() {
  local input=$1 patience=$((TIMEOUT < PATIENCE ? TIMEOUT : PATIENCE)) begin=$SECONDS told=false output status
  shift
  while :; do
    status=0
    output=$(printf '%s' "$input" | "${CLIENT[@]}" --request-timeout=30s "$@" 2>"$WORK/error") || status=$?
    if ((status == 0 || SECONDS - begin >= patience)) || ! grep -Eq "$PASSING" "$WORK/error"; then break; fi
    $told || warn "the API server does not answer; trying again for up to $patience s"
    told=true
    sleep 1
  done
  [[ -z $output ]] || printf '%s\n' "$output"
  return "$status"
}

kube() { feed '' "$@"; }

# apply TEXT [ARGUMENT...]: server-side, as the one manager of these objects.
apply() {
  local text=$1
  shift
  feed "$text" apply --server-side --force-conflicts --field-manager="$MANAGER" "$@" -f -
}

# apply_with_jobs TEXT: the same, and a Job whose template differs is made anew, since Jobs cannot be changed.
apply_with_jobs() {
  local job
  if apply "$1" >/dev/null; then return; fi
  grep -q 'field is immutable' "$WORK/error" || return 1
  while read -r job; do
    kube delete job "$job" -n "$CORE" --ignore-not-found --cascade=foreground --timeout=60s >/dev/null || return 1
  done < <(sed -n 's/.*Job[^"]*"\([^"]*\)" is invalid.*/\1/p' "$WORK/error")
  apply "$1" >/dev/null
}

# documents in|out REGEX: those of the YAML documents of standard input whose kind matches, or the others.
documents() {
  awk -v want="$1" -v kinds="^kind: ($2)\$" '
    function flush() { if (text != "" && (hit == (want == "in"))) printf "---\n%s", text; text = ""; hit = 0 }
    /^---/ { flush(); next }
    $0 ~ kinds { hit = 1 }
    { text = text $0 "\n" }
    END { flush() }'
}

# poll WHAT PODS COMMAND...: runs COMMAND each second until it prints `ready`; whatever else it prints is progress, said when it
# changes. PODS are the arguments that list the pods it waits for: now and then they are asked what holds them up.
# COMMAND ends with an error when waiting is of no use.
poll() {
  local what=$1 pods=$2 end=$((SECONDS + TIMEOUT)) state='' before='' why='' turn=0
  shift 2
  while :; do
    state=$("$@")
    [[ $state != ready ]] || return 0
    turn=$((turn + 1))
    if ((turn % 5 == 0 || SECONDS >= end)); then why=$(why_pods_wait "$pods"); fi
    [[ $state$why == "$before" ]] || say "$what: $state$why"
    before=$state$why
    ((SECONDS < end)) || die "$what was not ready after $TIMEOUT s: $state$why" \
      "look at it (${CLIENT[*]} describe pods $pods), then run $(again); --timeout SECONDS waits longer."
    sleep 1
  done
}

readonly WAITING='{{range .items}}{{range .status.conditions}}{{if and (eq .type "PodScheduled") (eq .status "False")}}{{.message}}{{"\n"}}{{end}}{{end}}{{range .status.containerStatuses}}{{with .state.waiting}}{{.reason}} {{or .message ""}}{{"\n"}}{{end}}{{end}}{{end}}'

# why_pods_wait ARGUMENTS: what a person would look up next, where there is something to say.
why_pods_wait() {
  local words reasons
  [[ -n $1 ]] || return 0
  read -ra words <<<"$1"
  reasons=$(kube get pods "${words[@]}" -o go-template="$WAITING" | grep -v '^ContainerCreating\|^PodInitializing' |
    sort -u | head -n 2 | cut -c1-200 | tr '\n' ' ') || true
  [[ -z $reasons ]] || printf ' (%s)' "${reasons% }"
}

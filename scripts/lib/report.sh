# Requests added up, and what is said at the end or by --status.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

# Lines `replicas cpu memory` of pods.
readonly POD_REQUESTS='{{range .items}}{{range .spec.containers}}{{with .resources.requests}}1 {{or .cpu "0"}} {{or .memory "0"}}{{"\n"}}{{end}}{{end}}{{end}}'

# total: adds up lines `replicas cpu memory` of standard input, quantities as Kubernetes writes them: `millicores MiB`, rounded up.
total() {
  awk '
    function millicores(q) { return q ~ /m$/ ? q + 0 : q ~ /u$/ ? q / 1e3 : q ~ /n$/ ? q / 1e6 : q * 1000 }
    function mebibytes(q) {
      if (q ~ /Ki$/) return q / 1024; if (q ~ /Mi$/) return q + 0; if (q ~ /Gi$/) return q * 1024; if (q ~ /Ti$/) return q * 1048576
      if (q ~ /k$/) return q * 1e3 / 1048576; if (q ~ /M$/) return q * 1e6 / 1048576; if (q ~ /G$/) return q * 1e9 / 1048576
      if (q ~ /T$/) return q * 1e12 / 1048576; if (q ~ /m$/) return q / 1048576000
      return q / 1048576
    }
    function up(x) { return x == int(x) ? x : int(x) + 1 }
    NF { c += $1 * millicores($2); m += $1 * mebibytes($3) }
    END { printf "%d %d\n", up(c), up(m) }'
}

# manifest_requests: `replicas cpu memory` of every container in a rendered manifest, whose form is kustomize's own.
manifest_requests() {
  awk '
    function flush() { for (i = 1; i <= n; i++) print replicas, cpu[i], memory[i]; n = 0; replicas = 1; inside = 0 }
    BEGIN { replicas = 1 }
    /^---/ { flush(); next }
    /^  replicas: / { replicas = $2 }
    /^ *requests:$/ { n++; cpu[n] = memory[n] = 0; inside = index($0, "r"); next }
    inside && match($0, /[^ ]/) && RSTART <= inside { inside = 0 }
    inside && $1 == "cpu:" { cpu[n] = $2 }
    inside && $1 == "memory:" { memory[n] = $2 }
    END { flush() }' | tr -d '"'
}

amount() { awk -v c="$1" -v m="$2" 'BEGIN {printf "%.2f cores and %.2f GiB", c / 1000, m / 1024}'; }

workshops_there() { kube get namespaces -l workshop-role=dedicated-instance -o jsonpath='{range .items[*]}{.metadata.name}{"\n"}{end}' | grep -c . || true; }

summarize() {
  local own_c own_m core_c core_m count code
  read -r own_c own_m < <(render_workshop | documents in Deployment | manifest_requests | total)
  read -r core_c core_m < <(total <<<"$CORE_REQUESTS")
  count=$(workshops_there)
  ((count > 0)) || count=1
  say "workshop       $NAME ($TYPE), room for $LIMIT participants, namespace $NAMESPACE"
  if [[ -n $HOST ]]; then
    say "url            https://$HOST/ by $(exposure_in_words)"
    [[ -z $EXPOSURE ]] || say "               $(address_states)"
  else
    say "url            $(exposure_in_words). From this machine:"
    say "               ${CLIENT[*]} port-forward -n $NAMESPACE service/chat-agent 8080:8080, then http://localhost:8080/"
  fi
  code=$(printf '%s' "$JOIN_CODE" | openssl base64 -d -A)
  say "join code      $code"
  say "requested      this workshop $(amount "$own_c" "$own_m"); the shared core $(amount "$core_c" "$core_m")"
  say "beside that    $count workshop(s) that share the core: $(amount $((core_c + count * own_c)) $((core_m + count * own_m)));"
  say "               each with all of its own: $(amount $((count * (core_c + own_c))) $((count * (core_m + own_m))))"
  end_step
  printf 'Workshop %s is there after %d s.\n' "$NAME" "$SECONDS"
}

readonly STATUS_PODS='{range .items[*]}{.metadata.name}{"|"}{.status.phase}{"|"}{range .status.conditions[?(@.type=="Ready")]}{.status}{end}{"|"}{.spec.containers[0].image}{"|"}{.status.containerStatuses[0].restartCount}{"\n"}{end}'

show_status() {
  local phase type image ready wanted line name restarts url
  find_client
  read_namespaces
  read_offers
  [[ -n $OWN_LABELS ]] || die "there is no workshop $NAME (no namespace $NAMESPACE)." "deploy it: scripts/deploy-multi-workshop.sh $NAME"
  check_owner
  phase=${OWN_LABELS%%|*}
  type=$(kube get namespace "$NAMESPACE" -o jsonpath='{.metadata.labels.workshop-type}')
  printf 'workshop       %s (%s), namespace %s: %s\n' "$NAME" "$type" "$NAMESPACE" "$phase"
  line=$(kube get deployment chat-agent -n "$NAMESPACE" --ignore-not-found \
    -o jsonpath='{.status.readyReplicas}{"|"}{.spec.replicas}{"|"}{.spec.template.spec.containers[0].image}')
  IFS='|' read -r ready wanted image <<<"$line"
  printf 'chat agent     %s of %s ready, image %s\n' "${ready:-0}" "${wanted:-0}" "${image:-none}"
  url=$(kube get configmap chat-agent -n "$NAMESPACE" --ignore-not-found -o jsonpath='{.data.CHAT_PUBLIC_URL}')
  printf 'url            %s\n' "${url:-none outside the cluster}"
  while read -r line; do
    [[ -z $line ]] || printf 'address        %s\n' "$line"
  done <<<"$(address_states)"
  printf 'registration   %s\n' "$(registration_state)"
  while IFS='|' read -r name phase ready image restarts; do
    [[ -z $name ]] || printf 'pod            %s: %s, ready %s, restarts %s, %s\n' "$name" "$phase" "${ready:-False}" "${restarts:-0}" "$image"
  done <<<"$(kube get pods -n "$NAMESPACE" -o jsonpath="$STATUS_PODS")"
  while read -r line; do
    [[ -z $line ]] || printf 'quota          %s\n' "$line"
  done <<<"$(kube get resourcequota workshop -n "$NAMESPACE" --ignore-not-found \
    -o go-template='{{$used := .status.used}}{{range $name, $hard := .status.hard}}{{$name}} {{index $used $name}} of {{$hard}}{{"\n"}}{{end}}')"
  printf 'content        %s\n' "$(content_state)"
}

registration_state() {
  local state
  state=$(job_state "register-$NAME")
  case $state in
  ready) printf 'done' ;;
  gone) printf 'no Job: done more than an hour ago, or never' ;;
  *) printf '%s' "$state" ;;
  esac
}

content_state() {
  local found
  if skipped content; then
    printf 'not asked'
  elif found=$(operate status "$NAME" --json </dev/null 2>/dev/null); then
    printf '%s' "$found"
  else
    printf 'not known: the console does not answer (%s)' "$(last_error | tail -n 1)"
  fi
}

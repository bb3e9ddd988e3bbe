# The workshop's own objects: first all but the pods, then its registration, then the chat agent and its address.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

readonly PODS='Deployment|PodDisruptionBudget|Route|HTTPRoute|Ingress'

register_workshop() {
  local manifest
  manifest=$(render_workshop)
  drop_failed_job "register-$NAME"
  # The namespace comes first in it; the others of its objects need it.
  apply_with_jobs "$(documents out "$PODS" <<<"$manifest")
$(public_key_of_core "$NAMESPACE" "app.kubernetes.io/name: chat-agent, workshop-name: $NAME, workshop-type: $TYPE")
$(workshop_secret)"
  wait_for_job "register-$NAME" "registration"
  say "namespace $NAMESPACE, its quota and policies, and Job register-$NAME"
}

# A chat agent is ready once its workshop is published, so it starts before the content and is waited for after it.
start_chat_agent() {
  apply "$(render_workshop | documents in "$PODS")" >/dev/null
  drop_other_addresses
  say "Deployment chat-agent starts while its content is published"
}

wait_for_chat_agent() {
  poll "chat agent" "-n $NAMESPACE" rollout_progress
  if skipped content && [[ -z $(kube get deployment chat-agent -n "$NAMESPACE" -o jsonpath='{.status.availableReplicas}') ]]; then
    say "Deployment chat-agent runs, and is ready once its content is published (--skip left that out)"
  else
    say "Deployment chat-agent is ready${EXPOSURE:+, reached by $(exposure_in_words) at $HOST}"
  fi
}

# started_pods: how many chat agents run, whether they are ready or not.
started_pods() {
  kube get pods -n "$NAMESPACE" -l app.kubernetes.io/name=chat-agent \
    -o go-template='{{range .items}}{{range .status.containerStatuses}}{{if .started}}{{"x\n"}}{{end}}{{end}}{{end}}' | grep -c x || true
}

rollout_progress() {
  local found wanted updated ready total generation observed
  found=$(kube get deployment chat-agent -n "$NAMESPACE" \
    -o go-template='{{.spec.replicas}}|{{or .status.updatedReplicas 0}}|{{or .status.availableReplicas 0}}|{{or .status.replicas 0}}|{{.metadata.generation}}|{{or .status.observedGeneration 0}}') ||
    die "Deployment chat-agent cannot be read: $(last_error)" "run $(again)."
  IFS='|' read -r wanted updated ready total generation observed <<<"$found"
  if ((observed >= generation && updated >= wanted && ready >= wanted && total == updated)); then
    printf ready
  elif skipped content && ((observed >= generation && updated >= wanted && ready == 0)) && (($(started_pods) >= wanted)); then
    printf ready
  else
    printf '%s of %s new ones, %s available' "$updated" "$wanted" "$ready"
  fi
}

# compare: for --dry-run and --diff.
compare() {
  local manifest differences status=0
  # What the secrets are is part of what pods are started with; unread, every pod would seem to change.
  [[ -z $OWN_LABELS ]] || read_workshop_secret "$NAMESPACE" chat-agent || true
  [[ -z $CREDENTIAL ]] || CHECKSUM=$(checksum)
  # A Job cannot be changed, so it is not compared: a changed one is made anew.
  manifest=$(render_workshop)
  [[ -z $OWN_LABELS ]] || manifest=$(documents out Job <<<"$manifest")
  say "Secrets chat-agent and workshop-$NAME are made where absent, and never shown"
  [[ -z $OWN_LABELS ]] || other_addresses | sed 's/^/      removed would be /'
  if [[ $CORE_STATE == absent ]]; then
    say "the core would be deployed from $CORE_OVERLAY:"
    render_core | object_names
  fi
  if [[ -z $OWN_LABELS || -z $CORE_LABELS ]]; then
    say "workshop $NAME is not there yet, so the server cannot check what would go into its namespace; it would be made of:"
    object_names <<<"$manifest"
    [[ $ACTION == dry-run ]] || printf '%s\n' "$manifest"
  elif [[ $ACTION == dry-run ]]; then
    feed "$manifest" apply --server-side --force-conflicts --field-manager="$MANAGER" --dry-run=server -f - | sed 's/^/      /' ||
      die "the server refuses what would be applied: $(last_error)" "mend that, then run $(again)."
  else
    differences=$(feed "$manifest" diff --server-side --force-conflicts --field-manager="$MANAGER" -f -) || status=$?
    ((status <= 1)) || die "the server cannot compare: $(last_error)" "run $(again)."
    if [[ -n $differences ]]; then printf '%s\n' "$differences"; else say "nothing would be changed"; fi
  fi
  end_step
}

object_names() { awk '/^kind: / { kind = $2 } /^  name: / { print "        " kind "/" $2 } /^---/ { kind = "" }'; }

# Removal of one workshop. Its Secret in the core goes last, so that a removal which is stopped is found and goes on.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

delete_workshop() {
  plan_steps "Check tools, rights and names" "Content and passages" "Namespace" "History and tokens" "Objects in the core"
  step
  find_client
  read_namespaces
  [[ -z $OWN_LABELS ]] || check_owner
  [[ -z $CORE_LABELS ]] || check_core_owner
  check_rights
  read_core
  confirm
  step; remove_content
  step; remove_namespace
  step; unregister
  step; remove_core_objects
  end_step
  printf 'Workshop %s is gone after %d s.\n' "$NAME" "$SECONDS"
}

confirm() {
  local answer=''
  $YES && return
  printf '      This removes workshop %s: its content, the conversations of its participants, and namespace %s.\n' "$NAME" "$NAMESPACE"
  [[ -t 0 ]] || die "nobody is there to be asked." "run it in a terminal, or say --yes."
  read -r -p "      Type its name to go on: " answer || true
  [[ $answer == "$NAME" ]] || die "'$answer' is not $NAME; nothing was removed." "run $(again)."
}

remove_content() {
  if skipped content || [[ $CORE_STATE == absent ]]; then
    say "left out"
  else
    operate remove "$NAME" </dev/null || die "its content was not removed: $(last_error)" "mend that, then run $(again)."
  fi
}

# A namespace's end is looked for again after half of its pods' grace period at the earliest, which is minutes; without pods it is
# there at once.
remove_namespace() {
  local found
  found=$(kube get deployment chat-agent -n "$NAMESPACE" --ignore-not-found -o name) || die "$(last_error)" "run $(again)."
  if [[ -n $found ]]; then
    kube patch "$found" -n "$NAMESPACE" --type merge -p '{"spec":{"replicas":0}}' >/dev/null || die "$(last_error)" "run $(again)."
    poll "chat agent" "-n $NAMESPACE" pods_left
  fi
  kube delete namespace "$NAMESPACE" --ignore-not-found --wait=false >/dev/null || die "$(last_error)" "run $(again)."
  poll "namespace $NAMESPACE" "" namespace_progress
}

pods_left() {
  local found
  found=$(kube get pods -n "$NAMESPACE" -l app.kubernetes.io/name=chat-agent -o name) || die "$(last_error)" "run $(again)."
  if [[ -z $found ]]; then printf ready; else printf '%s pods end' "$(grep -c . <<<"$found")"; fi
}

namespace_progress() {
  local found
  found=$(kube get namespace "$NAMESPACE" --ignore-not-found -o jsonpath='{.status.phase}') || die "$(last_error)" "run $(again)."
  printf '%s' "${found:-ready}"
}

# unregister: a Job that drops schema and role and revokes the credential. It needs nothing of the workshop but its name.
unregister() {
  local manifest
  if [[ -z $CORE_LABELS || $CORE_STATE == absent ]]; then
    say "left out: there is no core"
    return
  fi
  manifest=$(render_removal)
  drop_failed_job "unregister-$NAME"
  apply_with_jobs "$manifest"
  wait_for_job "unregister-$NAME" "removal"
}

remove_core_objects() {
  [[ -n $CORE_LABELS ]] || return 0
  kube delete job,configmap,serviceaccount,networkpolicy -n "$CORE" -l "app.kubernetes.io/part-of=workshop-assistant,workshop-name=$NAME" \
    --ignore-not-found --cascade=foreground --timeout=60s >/dev/null || die "$(last_error)" "run $(again)."
  # By its name, since one that was made by hand may have no labels.
  kube delete secret "workshop-$NAME" -n "$CORE" --ignore-not-found >/dev/null || die "$(last_error)" "run $(again)."
}

# render_removal: the Job, with the workshop's name and the core's image.
render_removal() {
  local folder=$WORK/removal root image=${IMAGE:-$CORE_IMAGE}
  mkdir -p "$folder"
  root=$(up "$folder")${ROOT#/}
  {
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: ["%s/kubernetes/base/workshop-removal"]\n' "$root"
    [[ -z $image ]] || printf 'images:\n%s\n' "$(image_lines "$image" workshop-assistant)"
    printf 'labels:\n  - pairs: {workshop-name: "%s"}\n    includeTemplates: true\n' "$NAME"
    printf 'patches:\n  - target: {kind: Job}\n    patch: |-\n'
    printf '      - {op: replace, path: /metadata/name, value: "unregister-%s"}\n' "$NAME"
    printf '      - {op: replace, path: /spec/template/spec/serviceAccountName, value: "unregister-%s"}\n' "$NAME"
    printf '      - {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: "%s"}\n' "$NAME"
    printf '  - target: {kind: ServiceAccount}\n    patch: |-\n'
    printf '      - {op: replace, path: /metadata/name, value: "unregister-%s"}\n' "$NAME"
  } >"$folder/kustomization.yaml"
  "${CLIENT[0]}" kustomize "$folder" 2>"$WORK/error" || die "the Job cannot be rendered: $(last_error)" "run $(again)."
}

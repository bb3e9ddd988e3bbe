# The shared core: read, and deployed where it is absent. Where it is there, it is never touched.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

# W|kind|name|wanted|ready|image|ConfigMap, and R|replicas|cpu|memory for each container.
readonly CORE_WORKLOADS='{{range .items}}{{$replicas := or .spec.replicas 0}}W|{{.kind}}|{{.metadata.name}}|{{$replicas}}|{{or .status.readyReplicas 0}}|{{(index .spec.template.spec.containers 0).image}}|{{range (index .spec.template.spec.containers 0).envFrom}}{{with .configMapRef}}{{.name}}{{end}}{{end}}{{"\n"}}{{range .spec.template.spec.containers}}{{with .resources.requests}}R|{{$replicas}}|{{or .cpu "0"}}|{{or .memory "0"}}{{"\n"}}{{end}}{{end}}{{end}}'

# read_core: CORE_STATE (absent, ready, waiting), CORE_IMAGE, CONSOLE_CONFIG, CORE_REQUESTS, CORE_WAITS (what is not ready).
read_core() {
  local found='' tag kind name wanted ready image config
  CORE_STATE=absent CORE_IMAGE='' CONSOLE_CONFIG='' CORE_REQUESTS='' CORE_WAITS=''
  [[ -n $CORE_LABELS ]] || return 0
  found=$(kube get statefulsets,deployments -n "$CORE" -o go-template="$CORE_WORKLOADS") ||
    die "the core's workloads cannot be listed: $(last_error)" "ask for the right to list statefulsets and deployments in $CORE."
  while IFS='|' read -r tag kind name wanted ready image config; do
    case $tag in
    R) CORE_REQUESTS+="$kind $name $wanted"$'\n' ;;
    W)
      # One replica that answers is enough to deploy a workshop; a core that is being deployed is waited for as a whole.
      ((ready >= wanted || (ready > 0 && DEPLOYING_CORE == 0))) || CORE_WAITS+="$name $ready of $wanted, "
      [[ $name != console ]] || CORE_STATE=waiting CORE_IMAGE=$image CONSOLE_CONFIG=$config
      ;;
    esac
  done <<<"$found"
  CORE_WAITS=${CORE_WAITS%, }
  [[ $CORE_STATE == absent || -n $CORE_WAITS ]] || CORE_STATE=ready
  # The mark of a deployment that did not come to its end.
  [[ $CORE_LABELS != *'|true' ]] || CORE_STATE=absent
}
DEPLOYING_CORE=0

ensure_core() {
  case $CORE_STATE in
  ready) say "ready in $CORE, image $CORE_IMAGE" ;;
  waiting) wait_for_core ;;
  absent) deploy_core ;;
  esac
}

core_progress() {
  read_core
  if [[ -n $CORE_WAITS || $CORE_STATE == absent ]]; then printf '%s' "${CORE_WAITS:-nothing is there yet}"; else printf ready; fi
}

wait_for_core() { poll "core" "-n $CORE" core_progress; }

deploy_core() {
  local manifest first
  DEPLOYING_CORE=1
  manifest=$(render_core)
  say "deploying $CORE_OVERLAY into $CORE"
  # A run that is ended from here on leaves this mark, and the next one goes on.
  apply "$(documents in Namespace <<<"$manifest")" >/dev/null
  kube annotate namespace "$CORE" workshop-assistant/deploying=true --overwrite --field-manager="$MANAGER-progress" >/dev/null
  ensure_core_secrets
  first=$(documents out 'StatefulSet|Deployment|HorizontalPodAutoscaler' <<<"$manifest")$'\n'$(infrastructure <<<"$manifest")
  apply_with_jobs "$first"
  wait_for_job core-migrate "migration"
  apply "$manifest" >/dev/null
  CORE_LABELS='Active|shared-infrastructure||workshop-assistant|'
  wait_for_core
  read_core
  kube annotate namespace "$CORE" workshop-assistant/deploying- --field-manager="$MANAGER-progress" >/dev/null
}

# infrastructure: the workloads that are not ours (PostgreSQL, Milvus, the model's gateway), which ours need first.
infrastructure() { documents in 'StatefulSet|Deployment' | awk '
  function flush() { if (text != "" && !ours) printf "---\n%s", text; text = ""; ours = 0 }
  /^---/ { flush(); next }
  /^ +workshop-part: (console|shared-agent)$/ { ours = 1 }
  { text = text $0 "\n" }
  END { flush() }'; }

# job_state NAME: `ready` when it is done, `gone` when there is none, else its state; a failed one ends the run when waited for.
job_state() {
  local found
  found=$(kube get job "$1" -n "$CORE" --ignore-not-found \
    -o go-template='{{range .status.conditions}}{{if eq .status "True"}}{{.type}} {{end}}{{end}}|{{or .status.active 0}}|{{or .status.failed 0}}') || return 1
  case $found in
  '') printf gone ;;
  *Complete*) printf ready ;;
  *Failed*) printf failed ;;
  *) printf '%s active, %s failed' "$(cut -d'|' -f2 <<<"$found")" "$(cut -d'|' -f3 <<<"$found")" ;;
  esac
}

job_progress() {
  local state
  state=$(job_state "$1")
  if [[ $state == failed ]]; then
    die "Job $1 in $CORE failed: $(kube logs "job/$1" -n "$CORE" --tail=5 2>/dev/null || printf 'its log is gone')" \
      "mend what its log says, then run $(again): the Job is made anew."
  fi
  printf '%s' "$state"
}

wait_for_job() { poll "$2 (Job $1)" "-n $CORE -l batch.kubernetes.io/job-name=$1" job_progress "$1"; }

# drop_failed_job NAME: so that the next apply makes it anew.
drop_failed_job() {
  [[ $(job_state "$1") != failed ]] ||
    kube delete job "$1" -n "$CORE" --ignore-not-found --cascade=foreground --timeout=60s >/dev/null
}

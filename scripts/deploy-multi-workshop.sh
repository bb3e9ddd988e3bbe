#!/usr/bin/env bash
# Puts one workshop on a cluster, beside others that share a core. docs/kubernetes.md tells more.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: scripts/deploy-multi-workshop.sh [NAME [TYPE [LIMIT [SHARED]]]] [options]

Puts workshop NAME on the cluster: a chat agent of its own in namespace NAME-workshop, which uses the shared core in
workshop-core-system. Run it again after a failure or a change: what is there already stays, what is missing comes.

  NAME      the workshop's id: lower-case letters, digits and hyphens, at most 54 characters  (healthcare-ml)
  TYPE      the context: healthcare-ml, spring-boot, k8s-security, or one of your own with --values  (healthcare-ml)
  LIMIT     how many participants it has room for at once  (50)
  SHARED    true deploys the core where it is absent; false never touches it, and fails where it is absent  (true)

  --source DIR|URL[#REF]   the content: a folder, or a Git repository; without it the example that is called TYPE
  --values FILE            settings of the chat agent, NAME=VALUE on each line (docs/configuration.md, "Chat agent" and
                           "Language model"); they go over those of TYPE
  --image IMAGE            the image workshop-assistant, with its tag; workshop-assistant-rag is taken from the same place.
                           Without it: what the core runs, and for a new core what --core says
  --core DIR               the overlay of a core that is deployed  (overlays/shared-infrastructure)
  --host HOST              where people reach this workshop, by OpenShift's Route, else an HTTPRoute where there is a Gateway, else an
                           Ingress. Without it NAME under the domain that the core or OpenShift knows, else the host it has already
  --gateway NAMESPACE/NAME the Gateway that its HTTPRoute hangs on; needed where the cluster has several. On OpenShift it makes an
                           HTTPRoute in the place of a Route
  --context CONTEXT        the context of your kubeconfig
  --timeout SECONDS        how long each wait may take  (300)
  --skip content,smoke     leave out one or both
  --dry-run                say what would be applied, checked by the server where it can be; change nothing
  --diff                   show what would be changed; change nothing
  --status                 say how the workshop is; change nothing
  --delete [--yes]         remove the workshop, its passages, history and tokens, and nothing of another one; asks first
  --help                   this text

Exit status: 0 done, 1 a step failed (the text says which, why, and how to go on), 2 the call is not right, 130 and 143 stopped.
EOF
}

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
readonly ROOT
# shellcheck source=lib/terminal.sh
. "$ROOT/scripts/lib/terminal.sh"
# shellcheck source=lib/cluster.sh
. "$ROOT/scripts/lib/cluster.sh"
# shellcheck source=lib/arguments.sh
. "$ROOT/scripts/lib/arguments.sh"
# shellcheck source=lib/preflight.sh
. "$ROOT/scripts/lib/preflight.sh"
# shellcheck source=lib/exposure.sh
. "$ROOT/scripts/lib/exposure.sh"
# shellcheck source=lib/secrets.sh
. "$ROOT/scripts/lib/secrets.sh"
# shellcheck source=lib/render.sh
. "$ROOT/scripts/lib/render.sh"
# shellcheck source=lib/core.sh
. "$ROOT/scripts/lib/core.sh"
# shellcheck source=lib/workshop.sh
. "$ROOT/scripts/lib/workshop.sh"
# shellcheck source=lib/content.sh
. "$ROOT/scripts/lib/content.sh"
# shellcheck source=lib/remove.sh
. "$ROOT/scripts/lib/remove.sh"
# shellcheck source=lib/report.sh
. "$ROOT/scripts/lib/report.sh"

deploy() {
  plan_steps "Check tools, rights, names and room" "Shared core" "Secrets" "Namespace and registration" "Chat agent" \
    "Content" "Readiness" "Smoke test" "Summary"
  step; preflight
  step; ensure_core
  step; ensure_workshop_secrets
  step; register_workshop
  step; start_chat_agent
  step; publish_content
  step; wait_for_chat_agent
  step; smoke_test
  step; summarize
}

main() {
  CALL=$(printf '%q ' "$@")
  CALL=${CALL% }
  parse "$@"
  check_arguments
  begin
  case $ACTION in
  deploy) deploy ;;
  dry-run | diff)
    plan_steps "Check tools, rights, names and room" "Compare"
    step; preflight
    step; compare
    ;;
  status) show_status ;;
  delete) delete_workshop ;;
  esac
}

if [[ ${BASH_SOURCE[0]} == "$0" ]]; then main "$@"; fi

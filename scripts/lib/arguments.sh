# What the script is called with, and what can be said of it without a cluster. A call that is not right ends with status 2.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

# parse ARGUMENT...: sets what the rest of the script reads.
parse() {
  local positional=()
  SOURCE='' VALUES='' IMAGE='' CORE_OVERLAY=$ROOT/overlays/shared-infrastructure HOST='' GATEWAY='' CONTEXT=''
  TIMEOUT=300 SKIP=, ACTION=deploy YES=false
  while (($#)); do
    case $1 in
    --source) need_value "$@" && SOURCE=$2 && shift ;;
    --values) need_value "$@" && VALUES=$2 && shift ;;
    --image) need_value "$@" && IMAGE=$2 && shift ;;
    --core) need_value "$@" && CORE_OVERLAY=$2 && shift ;;
    --host) need_value "$@" && HOST=$2 && shift ;;
    --gateway) need_value "$@" && GATEWAY=$2 && shift ;;
    --context) need_value "$@" && CONTEXT=$2 && shift ;;
    --timeout) need_value "$@" && TIMEOUT=$2 && shift ;;
    --skip) need_value "$@" && SKIP=,$2, && shift ;;
    --dry-run | --diff | --status | --delete) choose_action "${1#--}" ;;
    --yes) YES=true ;;
    --help | -h) usage && exit 0 ;;
    -*) misused "There is no option $1." ;;
    *) positional+=("$1") ;;
    esac
    shift
  done
  ((${#positional[@]} <= 4)) || misused "At most NAME TYPE LIMIT SHARED are expected, and there is '${positional[4]}' too."
  # Nobody means the default by leaving out what is to be destroyed; an empty variable in the call does so too.
  [[ $ACTION != delete || -n ${positional[0]-} ]] || misused "--delete needs the name of the workshop that is to go."
  NAME=${positional[0]-healthcare-ml} TYPE=${positional[1]-healthcare-ml} LIMIT=${positional[2]-50} SHARED=${positional[3]-true}
}

need_value() { if (($# < 2)) || [[ $2 == --* ]]; then misused "$1 needs a value."; fi; }

choose_action() {
  [[ $ACTION == deploy || $ACTION == "$1" ]] || misused "--$ACTION and --$1 exclude each other."
  ACTION=$1
}

skipped() { [[ $SKIP == *,$1,* ]]; }

readonly SLUG='^[a-z0-9]([-a-z0-9]*[a-z0-9])?$'
# What --values may say: settings of the chat agent and of its language model, but for those that the platform itself decides
# and for keys, which belong in Secrets. tests/unit/kubernetes holds this against the code.
readonly SETTINGS=(
  WORKSHOP_ACCESS WORKSHOP_CONTEXT RAG_CONTEXT_FILTER CONTENT_FOCUS SAFETY_LEVEL SESSION_TIMEOUT
  LIBRARY_ENDPOINT RAG_ENDPOINT SHARED_AGENTS_ENDPOINT CORE_ENDPOINT CHAT_CONFIDENCE_THRESHOLD CHAT_PASSAGES CHAT_HISTORY_TURNS
  CHAT_MESSAGE_CHARACTERS CHAT_MESSAGES_PER_MINUTE CHAT_ANSWERS_AT_ONCE CHAT_MODEL_STREAMS CHAT_MODEL_WAIT_SECONDS
  HISTORY_RETENTION_DAYS CHAT_REWORDING_SECONDS SECURE_COOKIES CHAT_PUBLIC_URL LOG_LEVEL LOG_JSON
  LLAMA_STACK_ENDPOINT LLM_URL LLM_MODEL LLM_CONNECT_SECONDS LLM_FIRST_TOKEN_SECONDS LLM_GAP_SECONDS LLM_RETRIES LLM_MAX_TOKENS
  LLM_CONTEXT_CHARACTERS SAFETY_MODEL SAFETY_ENDPOINT SAFETY_API SAFETY_TIMEOUT_SECONDS
)

# check_arguments: everything that can be said without a cluster; ends with status 2.
check_arguments() {
  local part
  [[ $NAME =~ $SLUG && ${#NAME} -le 54 ]] ||
    misused "NAME '$NAME' is not right: lower-case letters, digits and hyphens, at most 54 of them, a letter or digit at both ends."
  NAMESPACE=$NAME-workshop
  [[ $TYPE =~ $SLUG && ${#TYPE} -le 63 ]] || misused "TYPE '$TYPE' is not right: lower-case letters, digits and hyphens."
  [[ $LIMIT =~ ^([1-9][0-9]{0,4}|100000)$ ]] || misused "LIMIT '$LIMIT' is not a number from 1 to 100000."
  [[ $SHARED =~ ^(true|false)$ ]] || misused "SHARED '$SHARED' is neither true nor false."
  [[ $TIMEOUT =~ ^[1-9][0-9]{0,4}$ ]] || misused "--timeout '$TIMEOUT' is not a number of seconds."
  for part in ${SKIP//,/ }; do
    [[ $part =~ ^(content|smoke)$ ]] || misused "--skip knows content and smoke, and '$part' is neither."
  done
  [[ -z $HOST || $HOST =~ ^[a-z0-9]([-a-z0-9.]*[a-z0-9])$ ]] || misused "--host '$HOST' is not the name of a host."
  [[ -z $GATEWAY || $GATEWAY =~ ^[^/]+/[^/]+$ ]] || misused "--gateway '$GATEWAY' is not NAMESPACE/NAME."
  [[ -z $IMAGE || $IMAGE =~ ^[^[:space:]]+$ ]] || misused "--image '$IMAGE' is not an image."
  [[ $YES == false || $ACTION == delete ]] || misused "--yes belongs to --delete."
  [[ $ACTION == status || $ACTION == delete ]] || check_content_arguments
}

check_content_arguments() {
  local line number=0
  CONTEXT_FILE=$ROOT/overlays/examples/$TYPE/context.env
  if [[ ! -f $CONTEXT_FILE ]]; then
    CONTEXT_FILE=''
    [[ -n $VALUES ]] || misused "There is no context called $TYPE: the shipped ones are $(shipped). \
Name a file with its settings by --values (RAG_CONTEXT_FILTER, CONTENT_FOCUS, SAFETY_LEVEL, SESSION_TIMEOUT)."
  fi
  if [[ -n $VALUES ]]; then
    [[ -f $VALUES && -r $VALUES ]] || misused "--values names $VALUES, which cannot be read."
    while IFS= read -r line || [[ -n $line ]]; do
      number=$((number + 1))
      check_setting "$line" "$number"
    done <"$VALUES"
  fi
  [[ -f $CORE_OVERLAY/kustomization.yaml ]] || misused "--core names $CORE_OVERLAY, and there is no kustomization.yaml."
  [[ -n $SOURCE || -d $ROOT/examples/$TYPE ]] || skipped content ||
    misused "There is no example called $TYPE: name the content by --source DIR or --source URL, or leave it out by --skip content,smoke."
}

# check_setting LINE NUMBER: one line of a file of values.
check_setting() {
  local name=${1%%=*}
  [[ $1 =~ ^[[:space:]]*(#.*)?$ ]] && return
  [[ $1 == *=* && " ${SETTINGS[*]} " == *" $name "* ]] ||
    misused "$VALUES, line $2: '$name' is no setting that a workshop may have. Expected is NAME=VALUE with one of: ${SETTINGS[*]}."
}

shipped() {
  local folder names=()
  for folder in "$ROOT"/overlays/examples/*/; do names+=("$(basename "$folder")"); done
  printf '%s' "${names[*]}"
}

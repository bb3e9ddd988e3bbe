# Secrets: made where they are absent, kept where they are there, never printed, in no argument and in no file.
# Variables hold values in base64, as the API server gives and takes them.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

b64() { openssl base64 -A; }
random_key() { openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\n'; }

# A join code has eight characters that nobody mistakes for others: 40 random bits.
random_code() {
  local alphabet=ABCDEFGHJKLMNPQRSTUVWXYZ23456789 byte code=''
  for byte in $(openssl rand -hex 8 | sed 's/../0x& /g'); do code+=${alphabet:$((byte % 32)):1}; done
  printf '%s' "$code"
}

# database_url ROLE PASSWORD DATABASE PATTERN: an address on the server of PATTERN, itself such an address.
database_url() {
  local server=${4#*://} query=''
  [[ $4 != *\?* ]] || query="?${4#*\?}"
  server=${server##*@}
  printf 'postgresql://%s:%s@%s/%s%s' "$1" "$2" "${server%%/*}" "$3" "$query"
}

# secret NAMESPACE NAME LABEL-LINES KEY BASE64 ...: the manifest of one Secret.
secret() {
  local namespace=$1 name=$2 labels=$3
  shift 3
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: %s\n  labels: {app.kubernetes.io/part-of: workshop-assistant, %s}\ndata:\n' \
    "$name" "$namespace" "$labels"
  while (($#)); do
    printf '  %s: %s\n' "$1" "$2"
    shift 2
  done
}

# create_once MANIFEST: makes one object unless it is there; of two runs at once, one makes it.
create_once() {
  if ! feed "$1" create --field-manager="$MANAGER" --validate=false -f - >/dev/null; then
    grep -q AlreadyExists "$WORK/error" || return 1
  fi
}

ensure_core_secrets() {
  local present name
  present=" $(kube get secrets -n "$CORE" -o jsonpath='{.items[*].metadata.name}') "
  for name in postgres-admin core-keys rag-credential template-converter-credential core-database rag-database; do
    [[ $present == *" $name "* ]] || create_once "$(new_core_secret "$name")"
  done
  apply "$(public_key_of_core "$CORE" "app.kubernetes.io/name: console")" >/dev/null
}

new_core_secret() {
  local name=$1 labels="app.kubernetes.io/name: $1" key password server
  case $name in
  postgres-admin)
    password=$(random_key)
    secret "$CORE" "$name" "$labels" password "$(printf '%s' "$password" | b64)" \
      url "$(database_url postgres "$password" postgres "postgresql://postgres.$CORE.svc:5432/" | b64)"
    ;;
  core-keys)
    key=$(openssl genpkey -algorithm ed25519)
    secret "$CORE" "$name" "$labels" private.pem "$(printf '%s\n' "$key" | b64)" \
      public.pem "$(printf '%s\n' "$key" | openssl pkey -pubout | b64)"
    ;;
  core-database)
    server=$(admin_url) password=$(random_key)
    secret "$CORE" "$name" "$labels" url "$(database_url core "$password" workshops "$server" | b64)" \
      jobs-url "$(database_url core "$password" core_console_jobs "$server" | b64)" \
      converter-jobs-url "$(database_url core "$password" core_converter_jobs "$server" | b64)"
    ;;
  rag-database)
    server=$(admin_url) password=$(random_key)
    secret "$CORE" "$name" "$labels" url "$(database_url rag "$password" workshops "$server" | b64)" \
      jobs-url "$(database_url rag "$password" rag_jobs "$server" | b64)"
    ;;
  *-credential) secret "$CORE" "$name" "$labels" credential "$(random_key | b64)" ;;
  esac
}

admin_url() { kube get secret postgres-admin -n "$CORE" -o jsonpath='{.data.url}' | openssl base64 -d -A; }

# public_key_of_core NAMESPACE LABELS: ConfigMap core-public-key, with the core's public key.
public_key_of_core() {
  local key
  key=$(kube get secret core-keys -n "$CORE" -o go-template='{{index .data "public.pem" | base64decode | printf "%q"}}') || return 1
  printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: core-public-key\n  namespace: %s\n  labels: {app.kubernetes.io/part-of: workshop-assistant, %s}\ndata:\n  public.pem: %s\n' \
    "$1" "$2" "$key"
}

CREDENTIAL='' JOIN_CODE='' DATABASE_URL='' PARTICIPANT_KEY=''

# ensure_workshop_secrets: sets CREDENTIAL, JOIN_CODE, DATABASE_URL and PARTICIPANT_KEY. The core's copy counts, since it is what was
# registered; a copy in the workshop's namespace helps where the core was made anew.
ensure_workshop_secrets() {
  local url password
  [[ -z $OWN_LABELS ]] || read_workshop_secret "$NAMESPACE" chat-agent || true
  PARTICIPANT_KEY=${PARTICIPANT_KEY:-$(random_key | b64)}
  if ! read_workshop_secret "$CORE" "workshop-$NAME"; then
    if [[ -z $CREDENTIAL ]]; then
      url=$(kube get secret core-database -n "$CORE" -o jsonpath='{.data.url}' | openssl base64 -d -A)
      [[ -n $url ]] || die "Secret core-database in $CORE has no url." "make the core's secrets as docs/kubernetes.md says."
      password=$(random_key) CREDENTIAL=$(random_key | b64) JOIN_CODE=$(random_code | b64)
      DATABASE_URL=$(database_url "w_$NAME" "$password" workshops "$url" | b64)
    fi
    create_once "$(secret "$CORE" "workshop-$NAME" "app.kubernetes.io/name: workshop-registration, workshop-name: $NAME, workshop-type: $TYPE" \
      credential "$CREDENTIAL" join-code "$JOIN_CODE" database-url "$DATABASE_URL")"
    # Of two runs at once one made it, and its values count.
    read_workshop_secret "$CORE" "workshop-$NAME" || die "Secret workshop-$NAME in $CORE cannot be read." "run $(again)."
    say "made Secret workshop-$NAME"
  else
    say "Secret workshop-$NAME is there and stays as it is"
  fi
  CHECKSUM=$(checksum)
}

# read_workshop_secret NAMESPACE NAME: into the variables above; false where there is none.
read_workshop_secret() {
  local credential code url key found
  found=$(kube get secret "$2" -n "$1" --ignore-not-found \
    -o go-template='{{or .data.credential ""}}|{{or (index .data "join-code") ""}}|{{or (index .data "database-url") ""}}|{{or (index .data "participant-key") ""}}') ||
    die "Secret $2 in $1 cannot be read: $(last_error)" "run $(again)."
  IFS='|' read -r credential code url key <<<"$found"
  [[ -n $credential && -n $code && -n $url ]] || return 1
  CREDENTIAL=$credential JOIN_CODE=$code DATABASE_URL=$url PARTICIPANT_KEY=${key:-$PARTICIPANT_KEY}
}

workshop_secret() {
  secret "$NAMESPACE" chat-agent "app.kubernetes.io/name: chat-agent, workshop-name: $NAME, workshop-type: $TYPE" \
    credential "$CREDENTIAL" join-code "$JOIN_CODE" database-url "$DATABASE_URL" participant-key "$PARTICIPANT_KEY"
}

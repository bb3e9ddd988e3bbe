# A kustomization of this call's own, of the same form as those in overlays/examples, rendered by the client.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

# up FOLDER: the way from FOLDER up to /, since kustomize takes no absolute addresses.
up() {
  local rest=${1#/} way=../
  while [[ $rest == */* ]]; do rest=${rest#*/} way+=../; done
  printf '%s' "$way"
}

# settings: the lines of the workshop's ConfigMap that are its own; of two for one name the later counts.
settings() {
  {
    [[ -z $CONTEXT_FILE ]] || cat "$CONTEXT_FILE"
    [[ -z $VALUES ]] || cat "$VALUES"
    [[ -z $HOST ]] || printf '\nCHAT_PUBLIC_URL=https://%s\n' "$HOST"
    printf '\nPARTICIPANT_LIMIT=%s\nWORKSHOP_NAME=%s\n' "$LIMIT" "$NAME"
  } | awk -F= '/^[A-Z]/ { if (!($1 in line)) order[++n] = $1; line[$1] = $0 } END { for (i = 1; i <= n; i++) print line[order[i]] }'
}

# image_lines IMAGE NAME: an entry of `images:` that puts IMAGE for NAME.
image_lines() {
  local name=$1 tag='' digest=''
  [[ $name != *@* ]] || digest=${name#*@} name=${name%%@*}
  [[ ${name##*/} != *:* ]] || tag=${name##*:} name=${name%:*}
  printf '  - name: %s\n    newName: %s\n' "$2" "$name"
  [[ -z $tag ]] || printf '    newTag: "%s"\n' "$tag"
  [[ -z $digest ]] || printf '    digest: %s\n' "$digest"
}

# rag_image IMAGE: its neighbour with the embedding model.
rag_image() {
  local name=$1 tag=''
  [[ ${name##*/} != *:* ]] || tag=:${name##*:} name=${name%:*}
  printf '%s-rag%s' "$name" "$tag"
}

# checksum: changes when what the pods are started with does, so that they are started anew.
checksum() {
  { settings && printf '%s' "$CREDENTIAL$JOIN_CODE$DATABASE_URL$PARTICIPANT_KEY"; } | openssl dgst -sha256 -r | cut -c1-16
}

# What pods are started with, as one word; `none` while the secrets are not known.
CHECKSUM=none

# render_workshop: the manifest of this workshop, without its secrets.
render_workshop() {
  local folder=$WORK/workshop
  [[ -s $folder/manifest.yaml ]] || render_anew "$folder"
  sed "s/@CHECKSUM@/$CHECKSUM/" "$folder/manifest.yaml"
}

render_anew() {
  local folder=$1 image=${IMAGE:-$CORE_IMAGE} root
  mkdir -p "$folder"
  root=$(up "$folder")${ROOT#/}
  settings >"$folder/settings.env"
  {
    printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: ["%s/overlays/workshop"]\ncomponents:\n' "$root"
    [[ -z $EXPOSURE ]] || printf '  - "%s/kubernetes/components/%s/workshop"\n' "$root" "$EXPOSURE"
    printf '  - "%s/kubernetes/components/workshop-name"\n' "$root"
    printf 'configMapGenerator:\n  - name: chat-agent\n    namespace: name-workshop\n    behavior: merge\n    envs: [settings.env]\n'
    printf '    options: {disableNameSuffixHash: true, labels: {workshop-type: "%s"}}\n' "$TYPE"
    [[ -z $image ]] || printf 'images:\n%s\n' "$(image_lines "$image" workshop-assistant)"
    printf 'patches:\n'
    checksum_patches
    [[ $EXPOSURE != gateway-api ]] || gateway_patch
    [[ $EXPOSURE != ingress || -z $INGRESS_CLASS ]] || class_patch
  } >"$folder/kustomization.yaml"
  "${CLIENT[0]}" kustomize "$folder" >"$folder/rendered" 2>"$WORK/error" ||
    die "the workshop's manifest cannot be rendered: $(last_error)" "check overlays/workshop and --values, then run $(again)."
  mv "$folder/rendered" "$folder/manifest.yaml"
}

checksum_patches() {
  local kind
  for kind in Deployment Job; do
    printf '  - target: {kind: %s}\n    patch: |-\n      - op: add\n        path: /spec/template/metadata/annotations\n        value: {workshop-assistant/settings: "@CHECKSUM@"}\n' \
      "$kind"
  done
}

gateway_patch() {
  printf '  - target: {kind: HTTPRoute}\n    patch: |-\n      - op: replace\n        path: /spec/parentRefs\n        value: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: %s, name: %s}]\n' \
    "${GATEWAY%%/*}" "${GATEWAY#*/}"
}

class_patch() {
  printf '  - target: {kind: Ingress}\n    patch: |-\n      - {op: add, path: /spec/ingressClassName, value: "%s"}\n' "$INGRESS_CLASS"
}

# render_core: the manifest of the core, from its overlay.
render_core() {
  local folder=$WORK/core overlay
  if [[ ! -s $folder/manifest.yaml ]]; then
    mkdir -p "$folder"
    overlay=$(cd "$CORE_OVERLAY" && pwd -P)
    {
      printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: ["%s%s"]\n' "$(up "$folder")" "${overlay#/}"
      [[ -z $IMAGE ]] || printf 'images:\n%s\n%s\n' "$(image_lines "$IMAGE" workshop-assistant)" \
        "$(image_lines "$(rag_image "$IMAGE")" workshop-assistant-rag)"
    } >"$folder/kustomization.yaml"
    "${CLIENT[0]}" kustomize "$folder" >"$folder/rendered" 2>"$WORK/error" ||
      die "the core's manifest cannot be rendered: $(last_error)" "check $CORE_OVERLAY, then run $(again)."
    mv "$folder/rendered" "$folder/manifest.yaml"
  fi
  cat "$folder/manifest.yaml"
}

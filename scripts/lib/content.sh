# What runs inside the console: the workshop's content, a first question to its chat agent, its removal.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

# operate ARGUMENT...: the core's own command, in the console; its progress is shown, and kept for last_error.
operate() {
  waited "${CLIENT[@]}" exec -i -n "$CORE" console-0 -- workshop-service operate "$@" 2> >(tee "$WORK/error" | sed 's/^/      /' >&2)
}

publish_content() {
  local ref=''
  if skipped content; then
    say "left out"
    return
  fi
  if [[ -z $SOURCE ]]; then
    operate content "$NAME" --example "$TYPE" </dev/null || content_failed
  elif [[ -d $SOURCE ]]; then
    operate content "$NAME" --archive - < <(tar -C "$SOURCE" -czf - .) || content_failed
  else
    [[ $SOURCE != *#* ]] || ref=${SOURCE#*#}
    operate content "$NAME" --source "${SOURCE%%#*}" ${ref:+--ref "$ref"} </dev/null || content_failed
  fi
}

content_failed() {
  die "the content was not published: $(last_error)" "mend that, then run $(again); the chat agent runs already, and what is published stays."
}

smoke_test() {
  if skipped smoke; then
    say "left out"
    return
  fi
  operate ask "$NAME" </dev/null ||
    die "the chat agent gave no answer with a citation: $(last_error)" \
      "look at its log (${CLIENT[*]} logs -n $NAMESPACE deployment/chat-agent), then run $(again)."
}

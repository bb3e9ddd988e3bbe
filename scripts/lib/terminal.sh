# What a person sees: numbered steps with their time, errors that say how to go on, and a clean end whatever ends it.
# shellcheck shell=bash disable=SC2034,SC2153,SC2016

STEPS=() STEP=0 STEP_BEGIN=0 ERRORS=2

plan_steps() { STEPS=("$@"); }

# step: closes the step before and begins the next.
step() {
  end_step
  STEP=$((STEP + 1)) STEP_BEGIN=$SECONDS
  printf '[%d/%d] %s\n' "$STEP" "${#STEPS[@]}" "${STEPS[STEP - 1]}"
}

end_step() { ((STEP == 0)) || printf '      %d s\n' "$((SECONDS - STEP_BEGIN))"; }

say() { printf '      %s\n' "$*"; }
warn() { printf '      note: %s\n' "$*" >&2; }

misused() {
  printf '%s\nTry --help.\n' "$*" >&2
  exit 2
}

# die WHY HOW-TO-GO-ON: ends the script, from a subshell too.
die() {
  local where=''
  ((STEP == 0)) || where="Step $STEP (${STEPS[STEP - 1]}) failed: "
  printf '\n%s%s\nTo go on: %s\n' "$where" "$1" "$2" >&"$ERRORS"
  [[ -z ${WORK-} || ! -d $WORK ]] || : >"$WORK/explained"
  exit 1
}

again() { printf 'scripts/deploy-multi-workshop.sh %s' "$CALL"; }

# begin: a private folder for this run, gone however it ends. Secrets are never written there.
begin() {
  umask 077
  # What is said here is seen even while a command's errors go elsewhere.
  exec {ERRORS}>&2
  WORK=$(cd "$(mktemp -d "${TMPDIR:-/tmp}/deploy-workshop.XXXXXX")" && pwd -P)
  trap finish EXIT
  trap 'interrupted 130' INT
  trap 'interrupted 143' TERM HUP
}

finish() {
  local status=$?
  trap - EXIT INT TERM HUP
  stop_child
  if ((status != 0)) && [[ ! -e $WORK/explained ]]; then
    printf '\nStep %d (%s) failed: %s\nTo go on: mend that and run it again; what is done stays done.\n' "$STEP" \
      "${STEPS[STEP > 0 ? STEP - 1 : 0]-start}" "$(last_error)" >&"$ERRORS"
  fi
  rm -rf "$WORK"
  exit "$status"
}

interrupted() {
  printf '\nStopped in step %d. Nothing is broken: run the same command again and it goes on.\n' "$STEP" >&"$ERRORS"
  : >"$WORK/explained"
  exit "$1"
}

# A long command runs as a child, so that Ctrl-C need not wait for it.
CHILD=''
# A signal may come before CHILD is known, but not before the shell has the child among its jobs.
stop_child() {
  local child
  for child in $CHILD $(jobs -p); do kill "$child" 2>/dev/null || true; done
}

# waited COMMAND...: runs it so, with the standard input of the script; its status.
waited() {
  local status=0
  "$@" <&0 &
  CHILD=$!
  wait "$CHILD" || status=$?
  CHILD=''
  return "$status"
}

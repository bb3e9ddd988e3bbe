"""A `kubectl` that answers the deploy script from a file of rules, and writes down what it was asked.

The folder of the program holds `rules.json`, a list of `[pattern, answer, complaint, status, times]`: the first rule whose pattern is
found in the arguments answers; one with `times` does so as often, then the next one counts. `calls.jsonl` gets each call's
arguments and standard input. Secrets that are created are kept in `secrets.json`, and read from there.
"""

import json
import re
import sys
import time
from pathlib import Path

HERE = Path(sys.argv[0]).parent
READ_SECRET = re.compile(r"get secret (\S+) -n (\S+) --ignore-not-found")


def secrets() -> dict[str, dict[str, str]]:
    file = HERE / "secrets.json"
    return json.loads(file.read_text()) if file.exists() else {}


def keep_secret(manifest: str) -> int:
    name, namespace = (re.search(rf"^  {key}: (\S+)$", manifest, re.M)[1] for key in ("name", "namespace"))
    kept = secrets()
    if f"{namespace}/{name}" in kept:
        sys.stderr.write(f'Error from server (AlreadyExists): secrets "{name}" already exists\n')
        return 1
    kept[f"{namespace}/{name}"] = dict(re.findall(r"^  ([-.a-z]+): (\S+)$", manifest.partition("\ndata:\n")[2], re.M))
    (HERE / "secrets.json").write_text(json.dumps(kept))
    return 0


def answer(words: str) -> int:
    file = HERE / "rules.json"
    rules = json.loads(file.read_text())
    for rule in rules:
        pattern, text, complaint, status, times = rule
        if times == 0 or not re.search(pattern, words):
            continue
        if times is not None:
            rule[4] = times - 1
            file.write_text(json.dumps(rules))
        sys.stdout.write(text)
        sys.stderr.write(complaint)
        if status == "sleep":
            sys.stdout.flush()
            time.sleep(60)
            return 0
        return int(status)
    sys.stderr.write(f"no rule for: {words}\n")
    return 99


def main() -> int:
    words = " ".join(sys.argv[1:])
    text = sys.stdin.read() if "-f -" in words or "--archive" in words else ""
    with (HERE / "calls.jsonl").open("a") as calls:
        calls.write(json.dumps([words, text]) + "\n")
    if " create " in words and "kind: Secret" in text:
        return keep_secret(text)
    if asked := READ_SECRET.search(words):
        if kept := secrets().get(f"{asked[2]}/{asked[1]}"):
            sys.stdout.write(
                "|".join(kept.get(key, "") for key in ("credential", "join-code", "database-url", "participant-key"))
            )
        return 0
    return answer(words)


if __name__ == "__main__":
    sys.exit(main())

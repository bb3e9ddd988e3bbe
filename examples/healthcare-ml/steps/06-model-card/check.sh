#!/usr/bin/env bash
# The card is complete, names what a reader must know, and carries the current numbers.
set -euo pipefail

cd ~/readmission 2>/dev/null || { echo "There is no folder ~/readmission. Begin with the first step."; exit 1; }
for file in card.toml metrics.json MODEL_CARD.md; do
    [[ -f $file ]] || { echo "$file is missing. Write card.toml, then run model_card.py."; exit 1; }
done
python3 - <<'PYTHON'
import json
import sys
import tomllib

from model_card import missing, render

notes = tomllib.load(open("card.toml", "rb"))
metrics = json.load(open("metrics.json", encoding="utf-8"))
if gaps := missing(notes):
    sys.exit(f"card.toml says too little about: {', '.join(gaps)}.")
if "synthetic" not in notes["data"].lower():
    sys.exit("The entry `data` does not say that the patients are synthetic. A reader would take them for real.")
if "south" not in notes["limits"].lower():
    sys.exit("The entry `limits` does not name the south site, where the predicted risks are too low.")
if open("MODEL_CARD.md", encoding="utf-8").read() != render(notes, metrics):
    sys.exit("MODEL_CARD.md is older than card.toml or metrics.json. Run model_card.py again.")
print("The model card is complete and current.")
PYTHON

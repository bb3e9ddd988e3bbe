#!/usr/bin/env bash
# metrics.json meets the care team's requirement and agrees with predictions.csv.
set -euo pipefail

cd ~/readmission 2>/dev/null || { echo "There is no folder ~/readmission. Begin with the first step."; exit 1; }
[[ -f metrics.json ]] || { echo "metrics.json is missing. Run evaluate.py with a threshold."; exit 1; }
[[ -f predictions.csv ]] || { echo "predictions.csv is missing. Train the honest model first."; exit 1; }
python3 - <<'PYTHON'
import csv
import json
import sys

from evaluate import confusion

metrics = json.load(open("metrics.json", encoding="utf-8"))
rows = list(csv.DictReader(open("predictions.csv", encoding="utf-8")))
counts = confusion(rows, metrics["threshold"])
if any(metrics[name] != value for name, value in counts.items()):
    sys.exit("metrics.json does not agree with predictions.csv. Run evaluate.py again.")
sensitivity = counts["tp"] / (counts["tp"] + counts["fn"])
flagged = (counts["tp"] + counts["fp"]) / len(rows)
if sensitivity < 0.7:
    sys.exit(f"Sensitivity is {sensitivity:.3f}; at least 0.7 is asked for. Which way must the threshold go to flag more stays?")
if flagged > 0.5:
    sys.exit(f"{flagged:.0%} of all stays are flagged; at most half can be cared for. Raise the threshold a little.")
print(f"Sensitivity {sensitivity:.3f} with {flagged:.0%} of stays flagged.")
PYTHON

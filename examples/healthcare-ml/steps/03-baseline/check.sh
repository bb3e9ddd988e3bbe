#!/usr/bin/env bash
# Predictions exist for the test patients alone, and come from a model without hindsight.
set -euo pipefail

cd ~/readmission 2>/dev/null || { echo "There is no folder ~/readmission. Begin with the first step."; exit 1; }
[[ -f predictions.csv ]] || { echo "predictions.csv is missing. Train the honest model with risk.py (without --keep-leaks)."; exit 1; }
python3 - <<'PYTHON'
import csv
import sys

from look import auc
from risk import in_test

stays = {row["stay_id"]: row for row in csv.DictReader(open("stays.csv", encoding="utf-8"))}
rows = list(csv.DictReader(open("predictions.csv", encoding="utf-8")))
wanted = {stay for stay, row in stays.items() if in_test(row["patient_id"])}
if {row["stay_id"] for row in rows} != wanted:
    sys.exit("predictions.csv does not hold exactly the test patients' stays. Run risk.py again after generating stays.csv.")
value = auc([float(row["risk"]) for row in rows], [int(row["actual"]) for row in rows])
if value > 0.9:
    sys.exit(f"The AUC is {value:.3f}. That is hindsight: a leaking column is still used. Look at dropped_columns.txt.")
if value < 0.65:
    sys.exit(f"The AUC is {value:.3f}, hardly better than chance. Did you drop columns that are known at discharge?")
print(f"{len(rows)} predictions, AUC {value:.3f}, no patient in both sets.")
PYTHON

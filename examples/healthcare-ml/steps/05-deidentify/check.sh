#!/usr/bin/env bash
# shared.csv is 5-anonymous, counted in patients, and holds no direct identifier.
set -euo pipefail

cd ~/readmission 2>/dev/null || { echo "There is no folder ~/readmission. Begin with the first step."; exit 1; }
[[ -f shared.csv ]] || { echo "shared.csv is missing. Run deidentify.py with wider bands or fewer digits until it writes the file."; exit 1; }
python3 - <<'PYTHON'
import csv
import sys
from collections import Counter, defaultdict

rows = list(csv.DictReader(open("shared.csv", encoding="utf-8")))
stays = list(csv.DictReader(open("stays.csv", encoding="utf-8")))
for name in ("stay_id", "patient_id", "followup_calls_30d", "days_to_readmission"):
    if name in rows[0]:
        sys.exit(f"shared.csv still holds the column {name}. Make it with deidentify.py.")


def fits(stay: dict[str, str], age_band: str, sex: str, postcode: str) -> bool:
    low, _, high = age_band.partition("-")
    return int(low) <= int(stay["age"]) <= int(high or low) and stay["sex"] == sex and stay["postcode"].startswith(postcode.rstrip("*"))


patients: dict[tuple[str, str, str], set[str]] = defaultdict(set)
for key in Counter((row["age_band"], row["sex"], row["postcode"]) for row in rows):
    patients[key] = {stay["patient_id"] for stay in stays if fits(stay, *key)}
smallest = min(len(group) for group in patients.values())
if smallest < 5:
    sys.exit(f"The smallest group holds {smallest} patients; at least 5 are asked for. Keep --k at 5 and coarsen more.")
if len(rows) < 0.95 * len(stays):
    sys.exit(f"Only {len(rows)} of {len(stays)} stays are left; coarsen instead of holding so many back.")
print(f"{len(rows)} stays, smallest group {smallest} patients.")
PYTHON

#!/usr/bin/env bash
# The synthetic stays are there, and are the ones that the seed gives.
set -euo pipefail

cd ~/readmission 2>/dev/null || { echo "There is no folder ~/readmission. Make it with: mkdir -p ~/readmission"; exit 1; }
[[ -f generate_patients.py ]] || { echo "generate_patients.py is missing in ~/readmission. Copy the workshop's files there first."; exit 1; }
[[ -f stays.csv ]] || { echo "stays.csv is missing. Run the generator in ~/readmission."; exit 1; }
if ! python3 generate_patients.py --out .expected.csv >/dev/null; then
    echo "The generator does not run; its error is above."
    exit 1
fi
if ! cmp -s stays.csv .expected.csv; then
    rm -f .expected.csv
    echo "stays.csv is not what seed 7 gives ($(wc -l <stays.csv) lines). Run the generator again without options, and do not edit the file."
    exit 1
fi
rm -f .expected.csv
echo "stays.csv holds $(($(wc -l <stays.csv) - 1)) synthetic stays."

#!/usr/bin/env bash
# The columns that are written after discharge are listed, and no others.
set -euo pipefail

cd ~/readmission 2>/dev/null || { echo "There is no folder ~/readmission. Begin with the first step."; exit 1; }
[[ -f stays.csv ]] || { echo "stays.csv is missing. Generate it first."; exit 1; }
[[ -s dropped_columns.txt ]] || { echo "dropped_columns.txt is missing or empty. Write one column name per line into it."; exit 1; }
header=$(head -n 1 stays.csv | tr -d '\r')
status=0
while read -r name; do
    [[ -z $name ]] && continue
    if [[ ",$header," != *",$name,"* ]]; then
        echo "'$name' is not a column of stays.csv. Write the name as in its first line, one per line."
        status=1
    elif [[ $name != days_to_readmission && $name != followup_calls_30d ]]; then
        echo "'$name' is known at discharge, so it does not leak. Take it off the list."
        status=1
    fi
done < <(cat dropped_columns.txt && echo)
for word in days_to followup; do
    if ! grep -q "^${word}" dropped_columns.txt; then
        echo "A column that is only known after discharge is not on the list yet. Ask for each column when it is written."
        status=1
        break
    fi
done
((status == 0)) && echo "All columns that leak are dropped, and only those."
exit "$status"

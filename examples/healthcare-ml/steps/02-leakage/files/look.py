"""Look at every column of stays.csv: how often it is filled, and how well it alone ranks readmissions (AUC)."""

import csv
from collections import Counter
from pathlib import Path

TARGET = "readmitted_30d"
NAMES = {"stay_id", "patient_id", "postcode", TARGET}


def auc(scores: list[float], labels: list[int]) -> float:
    """The chance that a readmitted stay gets a higher score than another one; equal scores count half."""
    ordered = sorted(zip(scores, labels, strict=True))
    positives = sum(labels)
    negatives = len(labels) - positives
    if not positives or not negatives:
        raise ValueError("AUC needs both readmitted and other stays.")
    wins, below, start = 0.0, 0, 0
    while start < len(ordered):
        end = start
        while end < len(ordered) and ordered[end][0] == ordered[start][0]:
            end += 1
        tied = [label for _, label in ordered[start:end]]
        wins += sum(tied) * (below + (len(tied) - sum(tied)) / 2)
        below += len(tied) - sum(tied)
        start = end
    return wins / (positives * negatives)


def number(text: str) -> float:
    """A column's value as a number; empty becomes -1, and words become a number by their first letter."""
    if not text:
        return -1.0
    return float(text) if text.lstrip("-").replace(".", "", 1).isdigit() else float(ord(text[0]))


def main() -> None:
    """Print one line for each column, the most telling first."""
    rows = list(csv.DictReader(Path("stays.csv").open(encoding="utf-8")))
    labels = [int(row[TARGET]) for row in rows]
    stays = Counter(row["patient_id"] for row in rows)
    print(f"stays {len(rows)}, readmitted {sum(labels)} ({sum(labels) / len(rows):.1%})")
    print(f"patients {len(stays)}, with more than one stay {sum(count > 1 for count in stays.values())}")
    print(f"{'column':<22}{'filled':>8}{'AUC alone':>11}")
    table = []
    for column in rows[0]:
        if column not in NAMES:
            value = auc([number(row[column]) for row in rows], labels)
            filled = sum(row[column] != "" for row in rows) / len(rows)
            table.append((max(value, 1 - value), filled, column))
    for value, filled, column in sorted(table, reverse=True):
        print(f"{column:<22}{filled:>8.0%}{value:>11.3f}")


if __name__ == "__main__":
    main()

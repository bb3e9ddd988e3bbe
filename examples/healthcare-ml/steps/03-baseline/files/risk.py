"""A logistic regression for readmission within 30 days, in plain Python, and the baseline that it has to beat."""

import argparse
import csv
import hashlib
import math
from pathlib import Path

from look import auc, number

TARGET = "readmitted_30d"
NOT_FEATURES = {"stay_id", "patient_id", "postcode", "site", TARGET}
LEAKS = Path("dropped_columns.txt")

Row = dict[str, str]


def in_test(patient_id: str) -> bool:
    """Whether a patient belongs to the test set: three in ten do, always the same ones, with all of their stays."""
    return int(hashlib.sha256(patient_id.encode()).hexdigest(), 16) % 10 < 3


def scale(rows: list[Row], columns: list[str]) -> list[tuple[float, float]]:
    """Mean and standard deviation of each column, from the training rows alone."""
    result = []
    for column in columns:
        values = [number(row[column]) for row in rows]
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) or 1.0
        result.append((mean, spread))
    return result


def vector(row: Row, columns: list[str], scales: list[tuple[float, float]]) -> list[float]:
    """A row as standardised numbers, led by a 1 for the intercept."""
    return [1.0, *((number(row[c]) - mean) / spread for c, (mean, spread) in zip(columns, scales, strict=True))]


def probability(weights: list[float], values: list[float]) -> float:
    """The model's risk, between 0 and 1."""
    return 1 / (1 + math.exp(-sum(weight * value for weight, value in zip(weights, values, strict=True))))


def train(vectors: list[list[float]], labels: list[int], rounds: int = 150, step: float = 1.0) -> list[float]:
    """The weights of a logistic regression, found by gradient descent."""
    weights = [0.0] * len(vectors[0])
    for _ in range(rounds):
        gradient = [0.0] * len(weights)
        for values, label in zip(vectors, labels, strict=True):
            error = probability(weights, values) - label
            for index, value in enumerate(values):
                gradient[index] += error * value
        weights = [weight - step * slope / len(vectors) for weight, slope in zip(weights, gradient, strict=True)]
    return weights


def main() -> None:
    """Train, print what the test set says, write predictions.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep-leaks", action="store_true", help="train on every column, to see what leakage does")
    options = parser.parse_args()
    leaks = set() if options.keep_leaks else set(LEAKS.read_text(encoding="utf-8").split())
    rows = list(csv.DictReader(Path("stays.csv").open(encoding="utf-8")))
    columns = [column for column in rows[0] if column not in NOT_FEATURES | leaks]
    training = [row for row in rows if not in_test(row["patient_id"])]
    test = [row for row in rows if in_test(row["patient_id"])]
    shared = {row["patient_id"] for row in training} & {row["patient_id"] for row in test}
    print(f"training stays {len(training)}, test stays {len(test)}, patients in both {len(shared)}")

    scales = scale(training, columns)
    weights = train([vector(row, columns, scales) for row in training], [int(row[TARGET]) for row in training])
    risks = [probability(weights, vector(row, columns, scales)) for row in test]
    labels = [int(row[TARGET]) for row in test]
    right = sum((risk >= 0.5) == bool(label) for risk, label in zip(risks, labels, strict=True))
    print(f"always 'not readmitted': accuracy {1 - sum(labels) / len(labels):.3f}, AUC 0.500")
    print(f"logistic regression:     accuracy {right / len(labels):.3f}, AUC {auc(risks, labels):.3f}")
    for weight, column in sorted(zip(weights[1:], columns, strict=True), key=lambda pair: -abs(pair[0])):
        print(f"  {column:<20}{weight:+.2f}")

    if options.keep_leaks:
        print("predictions.csv is not written: this model knows the answer.")
        return
    with Path("predictions.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["stay_id", "site", "sex", "actual", "risk"])
        for row, label, risk in zip(test, labels, risks, strict=True):
            writer.writerow([row["stay_id"], row["site"], row["sex"], label, f"{risk:.4f}"])
    print(f"predictions.csv: {len(test)} stays")


if __name__ == "__main__":
    main()

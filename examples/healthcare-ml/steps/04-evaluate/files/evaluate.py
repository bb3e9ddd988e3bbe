"""Judge predictions.csv at a threshold: confusion matrix, and for each group how far the predicted risk is from what happened."""

import argparse
import csv
import json
from pathlib import Path

Row = dict[str, str]


def confusion(rows: list[Row], threshold: float) -> dict[str, int]:
    """Counts of true and false positives and negatives; at or above the threshold is a flag."""
    counts = {"tp": 0, "fp": 0, "fn": 0, "tn": 0}
    for row in rows:
        flagged, actual = float(row["risk"]) >= threshold, row["actual"] == "1"
        counts[("t" if flagged == actual else "f") + ("p" if flagged else "n")] += 1
    return counts


def ratio(part: int, rest: int) -> float | None:
    """part / (part + rest), or None where there is nothing to divide by."""
    return round(part / (part + rest), 3) if part + rest else None


def measures(counts: dict[str, int]) -> dict[str, float | None]:
    """Sensitivity, specificity and precision of a confusion matrix."""
    return {
        "sensitivity": ratio(counts["tp"], counts["fn"]),
        "specificity": ratio(counts["tn"], counts["fp"]),
        "precision": ratio(counts["tp"], counts["fp"]),
    }


def calibration(rows: list[Row]) -> dict[str, float]:
    """Mean predicted risk and observed rate of a group."""
    predicted = sum(float(row["risk"]) for row in rows) / len(rows)
    observed = sum(row["actual"] == "1" for row in rows) / len(rows)
    return {"predicted": round(predicted, 3), "observed": round(observed, 3)}


def main() -> None:
    """Print the tables, write metrics.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threshold", type=float, default=0.5)
    options = parser.parse_args()
    if not 0 < options.threshold < 1:
        parser.error("--threshold must lie between 0 and 1")
    rows = list(csv.DictReader(Path("predictions.csv").open(encoding="utf-8")))
    counts = confusion(rows, options.threshold)
    result = {"threshold": options.threshold, "stays": len(rows), **counts, **measures(counts), "groups": {}}
    print(f"threshold {options.threshold}, {len(rows)} test stays")
    print(f"{'':<18}{'readmitted':>12}{'not':>8}")
    print(f"{'flagged':<18}{counts['tp']:>12}{counts['fp']:>8}")
    print(f"{'not flagged':<18}{counts['fn']:>12}{counts['tn']:>8}")
    print(", ".join(f"{name} {value}" for name, value in measures(counts).items()))
    print(f"{'group':<14}{'stays':>7}{'predicted':>11}{'observed':>10}{'sensitivity':>13}")
    for column in ("site", "sex"):
        for value in sorted({row[column] for row in rows}):
            group = [row for row in rows if row[column] == value]
            facts = {**calibration(group), "sensitivity": measures(confusion(group, options.threshold))["sensitivity"]}
            result["groups"][f"{column}={value}"] = facts
            print(
                f"{column + '=' + value:<14}{len(group):>7}{facts['predicted']:>11.3f}{facts['observed']:>10.3f}"
                f"{facts['sensitivity'] if facts['sensitivity'] is not None else 'none':>13}"
            )
    Path("metrics.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

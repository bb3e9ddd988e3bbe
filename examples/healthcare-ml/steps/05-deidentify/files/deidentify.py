"""Coarsen the columns that can point at a person, hold back groups smaller than k, and say what that cost."""

import argparse
import csv
import sys
from collections import defaultdict
from pathlib import Path

QUASI_IDENTIFIERS = ("age", "sex", "postcode")
SHARED = ("sex", "length_of_stay", "prior_admissions", "medications", "diabetes", "heart_failure", "readmitted_30d")
MOST_HELD_BACK = 0.05

Row = dict[str, str]


def generalise(row: Row, age_band: int, postcode_digits: int) -> tuple[str, str, str]:
    """The quasi-identifiers of a row, coarsened: an age band, the sex, the first digits of the postcode."""
    low = int(row["age"]) // age_band * age_band
    age = row["age"] if age_band == 1 else f"{low}-{low + age_band - 1}"
    return age, row["sex"], row["postcode"][:postcode_digits].ljust(len(row["postcode"]), "*")


def classes(rows: list[Row], age_band: int, postcode_digits: int) -> dict[tuple[str, str, str], set[str]]:
    """The patients that share each combination of coarsened quasi-identifiers."""
    result: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for row in rows:
        result[generalise(row, age_band, postcode_digits)].add(row["patient_id"])
    return result


def main() -> int:
    """Print k before and after, write shared.csv when few enough stays have to be held back."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--age-band", type=int, default=1, help="width of an age band in years")
    parser.add_argument("--postcode-digits", type=int, default=4, help="how many digits of the postcode to keep")
    parser.add_argument("--k", type=int, default=5)
    options = parser.parse_args()
    if options.age_band < 1 or not 0 <= options.postcode_digits <= 4 or options.k < 2:
        parser.error("--age-band is 1 or more, --postcode-digits 0 to 4, --k 2 or more")
    rows = list(csv.DictReader(Path("stays.csv").open(encoding="utf-8")))
    groups = classes(rows, options.age_band, options.postcode_digits)
    sizes = [len(patients) for patients in groups.values()]
    kept = [row for row in rows if len(groups[generalise(row, options.age_band, options.postcode_digits)]) >= options.k]
    held_back = 1 - len(kept) / len(rows)
    print(f"combinations of {', '.join(QUASI_IDENTIFIERS)}: {len(groups)}")
    print(f"k now {min(sizes)}, patients alone in their combination {sum(size == 1 for size in sizes)}")
    print(f"to reach k={options.k}, {len(rows) - len(kept)} of {len(rows)} stays ({held_back:.1%}) are held back")
    if held_back > MOST_HELD_BACK:
        print(
            f"error: more than {MOST_HELD_BACK:.0%} would be lost; coarsen the columns more. Nothing is written.", file=sys.stderr
        )
        return 1
    with Path("shared.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["age_band", "postcode", *SHARED])
        for row in kept:
            age, _, postcode = generalise(row, options.age_band, options.postcode_digits)
            writer.writerow([age, postcode, *(row[column] for column in SHARED)])
    print(f"shared.csv: {len(kept)} stays")
    return 0


if __name__ == "__main__":
    sys.exit(main())

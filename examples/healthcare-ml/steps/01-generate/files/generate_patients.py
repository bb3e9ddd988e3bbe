"""Make a synthetic set of hospital stays. No row describes a real person: every value comes from a random generator.

Only `Random.random()` is used, because Python promises that its sequence stays the same for a seed in every version.
"""

import argparse
import csv
import math
from pathlib import Path
from random import Random

COLUMNS = [
    "stay_id",
    "patient_id",
    "age",
    "sex",
    "postcode",
    "site",
    "length_of_stay",
    "prior_admissions",
    "medications",
    "diabetes",
    "heart_failure",
    "discharged_home",
    "followup_calls_30d",
    "days_to_readmission",
    "readmitted_30d",
]


def whole(rng: Random, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return low + int(rng.random() * (high - low + 1))


def count(rng: Random, mean: float) -> int:
    """A count that follows a Poisson distribution."""
    limit, product, events = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        events += 1
    return events


def chance(rng: Random, probability: float) -> int:
    """1 with the given probability, otherwise 0."""
    return int(rng.random() < probability)


def patient_stays(rng: Random, number: int) -> list[dict[str, object]]:
    """The stays of one synthetic patient: usually one, sometimes up to four."""
    age = whole(rng, 40, 94)
    frailty = rng.random() * 2 - 1
    fixed = {
        "patient_id": f"SYN-{number:04d}",
        "sex": "F" if rng.random() < 0.52 else "M",
        "postcode": f"{whole(rng, 100, 139)}{whole(rng, 0, 9)}",
        "site": "south" if rng.random() < 0.35 else "north",
        "diabetes": chance(rng, 0.28),
        "heart_failure": chance(rng, 0.12 + 0.003 * (age - 40)),
    }
    stays = []
    for _ in range(1 + min(3, count(rng, 0.5))):
        prior = count(rng, 0.9 + 0.5 * max(0.0, frailty) + 0.4 * int(str(fixed["heart_failure"])))
        # The south site keeps its older records in another system, so about half of the earlier admissions are missing.
        recorded = sum(chance(rng, 0.45) for _ in range(prior)) if fixed["site"] == "south" else prior
        stay = {
            "age": age,
            **fixed,
            "length_of_stay": 1 + count(rng, 3.5 + frailty),
            "prior_admissions": recorded,
            "medications": count(rng, 6 + 2 * frailty),
            "discharged_home": chance(rng, 0.75),
        }
        logit = (
            -3.6
            + 0.75 * prior
            + 0.10 * float(stay["length_of_stay"])
            + 0.9 * float(str(fixed["heart_failure"]))
            + 0.4 * float(str(fixed["diabetes"]))
            + 0.025 * (age - 65)
            + 0.06 * (float(stay["medications"]) - 6)
            - 0.5 * float(stay["discharged_home"])
            + 0.8 * frailty
        )
        readmitted = chance(rng, 1 / (1 + math.exp(-logit)))
        stay["readmitted_30d"] = readmitted
        stay["days_to_readmission"] = whole(rng, 1, 30) if readmitted else ""
        # Nurses ring patients at home; whoever is back in hospital is rung less often.
        stay["followup_calls_30d"] = whole(rng, 0, 2) if readmitted else whole(rng, 1, 4)
        stays.append(stay)
    return stays


def main() -> None:
    """Write the file that `--out` names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--out", type=Path, default=Path("stays.csv"))
    options = parser.parse_args()
    rng = Random(options.seed)
    rows = [stay for number in range(1, options.patients + 1) for stay in patient_stays(rng, number)]
    with options.out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        for number, row in enumerate(rows, 1):
            writer.writerow({"stay_id": f"ST-{number:05d}", **row})
    print(f"{options.out}: {len(rows)} stays of {options.patients} synthetic patients (seed {options.seed})")


if __name__ == "__main__":
    main()

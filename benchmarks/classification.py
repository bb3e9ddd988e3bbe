"""How often the recogniser says what a repository is: accuracy and confusion over local checkouts whose forms are known.

    python -m benchmarks.classification --manifest FILE [--json]

FILE is JSON or YAML: a list of `{path, form, subfolder?}`, or lines `PATH FORM [SUBFOLDER]`; relative paths are read from FILE's
folder. An answer is the reading that `workshop convert` would take; where it would ask a person, the answer is `choice`, which is
right only where the manifest says so, and is told apart because asking is better than being wrong. FORM may name several that are
all right (`rst|markdown`); `none` is any answer that finds no workshop, where it is arguable what else a repository is.
"""

import argparse
import json
import sys
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml

from agents.template_converter.errors import ChoiceRequiredError, NotAWorkshopError, SourceError
from agents.template_converter.recognise import choose
from agents.template_converter.service import ConverterService
from agents.template_converter.settings import ConverterSettings
from shared_services.contracts.conversion import NOT_WORKSHOPS, ConvertRequest

CHOICE = "choice"
REFUSED = "refused"
NONE = "none"


@dataclass(frozen=True)
class Case:
    """A checkout and the form that it has."""

    path: str
    form: str
    subfolder: str = ""


@dataclass(frozen=True)
class Outcome:
    """What was said of a case; `offered` are the forms that a person was asked to choose from."""

    case: Case
    said: str
    seconds: float
    offered: tuple[str, ...] = ()

    @property
    def right(self) -> bool:
        """Whether it is what the manifest says."""
        return any(self.said == form or (form == NONE and self.said in NOT_WORKSHOPS) for form in self.case.form.split("|"))


def read_manifest(path: Path) -> list[Case]:
    """The cases of a manifest.

    Raises:
        ValueError: It is neither a list of cases nor lines of them.
    """
    text = path.read_text()
    rows = (
        yaml.safe_load(text)
        if text.lstrip().startswith(("[", "-"))
        else [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    )
    cases = []
    for row in rows if isinstance(rows, list) else []:
        values = [row.get("path"), row.get("form"), row.get("subfolder") or ""] if isinstance(row, dict) else [*row, ""][:3]
        checkout, form, subfolder = [*values, None, None][:3]
        if (
            not isinstance(checkout, str)
            or not isinstance(form, str)
            or not isinstance(subfolder, str)
            or not (checkout and form)
        ):
            raise ValueError(f"{path}: `{row}` does not say a path and a form")
        cases.append(Case(str(path.parent / checkout), form, subfolder))
    if not cases:
        raise ValueError(f"{path} names no checkout")
    return cases


def classify(service: ConverterService, case: Case) -> Outcome:
    """What the recogniser says of a case."""
    begun = time.monotonic()
    offered: tuple[str, ...] = ()
    try:
        candidates = service.classify(ConvertRequest(source=case.path, path=case.subfolder))
        said = choose(candidates, None).form.value
    except ChoiceRequiredError as choice:
        said, offered = CHOICE, tuple(row.form.value for row in choice.candidates)
    except NotAWorkshopError as refusal:
        said = refusal.form.value
    except SourceError as error:
        sys.stderr.write(f"{case.path}: {error.detail}\n")
        said = REFUSED
    return Outcome(case, said, time.monotonic() - begun, offered)


def confusion(outcomes: list[Outcome]) -> list[tuple[str, str, int]]:
    """`(expected, said, how often)`, the wrong ones first."""
    counts = Counter((row.case.form, row.said) for row in outcomes)
    wrong = {(row.case.form, row.said) for row in outcomes if not row.right}
    return sorted(
        ((form, said, count) for (form, said), count in counts.items()), key=lambda row: (row[:2] not in wrong, -row[2], row)
    )


def main() -> int:
    """Print the accuracy and the table; 1 where the manifest cannot be used."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    try:
        cases = read_manifest(args.manifest)
    except (OSError, ValueError, yaml.YAMLError) as error:
        sys.stderr.write(f"The manifest cannot be used: {error}\n")
        return 1
    service = ConverterService(ConverterSettings())
    outcomes = []
    for number, case in enumerate(cases, 1):
        outcomes.append(classify(service, case))
        sys.stderr.write(f"\r{number} of {len(cases)}")
    sys.stderr.write("\n")
    right, asked = sum(row.right for row in outcomes), sum(row.said == CHOICE and not row.right for row in outcomes)
    if args.json:
        rows = [
            {**asdict(row.case), "said": row.said, "offered": row.offered, "seconds": round(row.seconds, 3)} for row in outcomes
        ]
        print(json.dumps({"accuracy": right / len(outcomes), "asked": asked, "cases": rows}, indent=2))
        return 0
    print(f"right {right} of {len(outcomes)} ({right / len(outcomes):.3f}); asked where it could have known {asked}")
    print(f"{'expected':<18} {'said':<18} {'times':>5}")
    for form, said, count in confusion(outcomes):
        verdict = "" if any(row.right for row in outcomes if (row.case.form, row.said) == (form, said)) else "  wrong"
        print(f"{form:<18} {said:<18} {count:>5}{verdict if said != CHOICE else verdict.replace('wrong', 'asked')}")
    for row in outcomes:
        if not row.right:
            offered = f" (offered {', '.join(row.offered)})" if row.offered else ""
            print(f"  {row.case.path} {row.case.subfolder}: {row.case.form}, said {row.said}{offered}")
    print(f"slowest {max(row.seconds for row in outcomes):.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

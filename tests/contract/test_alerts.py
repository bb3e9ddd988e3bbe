"""Alerts fire when they should, and dashboard queries can be read, as `promtool` has it."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.test_monitoring import FOLDER, rules

pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian's package `prometheus`)")

READY = 'workshop_ready{check="database", service="console", pod="console-%d"}'
QUOTA = 'kube_resourcequota{namespace="a-workshop", resourcequota="workshop", resource="pods", type="%s"}'
CHAT = 'up{job="chat-agent", namespace="a-workshop", pod="%s"}'
ASKED, ABSTAINED = 'workshop_chat_questions_total{workshop="a"}', 'workshop_chat_abstentions_total{workshop="a"}'
FAILED = 'workshop_jobs_ended_total{kind="convert", state="failed", pod="%s"}'
MODEL = 'workshop_chat_model_errors_total{workshop="a", reason="timeout"}'
FIRST = 'workshop_chat_first_block_seconds_bucket{workshop="a", le="%s"}'


@pytest.fixture
def checked(tmp_path: Path) -> Path:
    """A folder with the rules as Prometheus reads them, without the operator's wrapping."""
    text = yaml.safe_load((FOLDER / "rules.yaml").read_text())["spec"]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(text))
    return tmp_path


def promtool(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_the_rules_and_the_dashboard_s_queries_can_be_read(checked: Path):
    panels = json.loads((FOLDER / "workshops.json").read_text())["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    named = [
        {"record": f"query:{number}", "expr": re.sub(r"\$__\w+", "5m", query).replace("$workshop", ".*")}
        for number, query in enumerate(queries)
    ]
    (checked / "dashboard.yaml").write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": named}]}))
    done = promtool(checked, "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml", "dashboard.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


# What is scraped each minute, in promtool's notation, and the `summary` of the alert at a minute; none where it must be silent.
CASES: list[tuple[str, dict[str, str], int, list[str]]] = [
    ("WorkshopAgentDown", {CHAT % "x": "1x5 0x60", CHAT % "y": "1x5 0x60"}, 9, ["No replica of chat-agent in a-workshop answers."]),
    ("WorkshopAgentDown", {CHAT % "x": "0x60", CHAT % "y": "1x60"}, 50, []),
    (
        "WorkshopAgentDown",
        {'kube_deployment_status_replicas_available{namespace="a-workshop", deployment="chat-agent"}': "0x60"},
        9,
        ["No replica of chat-agent in a-workshop answers."],
    ),
    (
        "WorkshopReplicaDown",
        {CHAT % "x": "0x60", CHAT % "y": "1x60"},
        30,
        ["x in a-workshop has not answered for 10 minutes; another replica does."],
    ),
    ("WorkshopReplicaDown", {CHAT % "x": "0x60", CHAT % "y": "0x60"}, 30, []),
    ("WorkshopDatabaseGone", {READY % 0: "1x5 0x60", READY % 1: "1x5 0x60"}, 10, ["PostgreSQL does not answer."]),
    ("WorkshopDatabaseGone", {READY % 0: "0x60", READY % 1: "1x60"}, 30, []),
    ("WorkshopAbstentionRate", {ASKED: "0+1x120", ABSTAINED: "0+0.5x120"}, 100, [
        "50% of the questions in a are not answered by its content."
    ]),
    ("WorkshopAbstentionRate", {ASKED: "0+1x120", ABSTAINED: "0+0.25x120"}, 100, []),
    # Few questions say little.
    ("WorkshopAbstentionRate", {ASKED: "0+0.2x120", ABSTAINED: "0+0.2x120"}, 100, []),
    ("WorkshopModelErrors", {MODEL: "0x10 0+1x60"}, 40, ["The model failed 10 times in 10 minutes for a: timeout."]),
    ("WorkshopModelErrors", {MODEL: "0x10 4x60"}, 15, []),
    ("WorkshopQuotaNear", {QUOTA % "used": "19x60", QUOTA % "hard": "20x60"}, 30, ["a-workshop uses 95% of its quota of pods."]),
    ("WorkshopQuotaNear", {QUOTA % "used": "0x60", QUOTA % "hard": "0x60"}, 30, []),
    ("WorkshopFull", {'workshop_chat_sessions{workshop="a", state="waiting"}': "3x60"}, 30, ["3 people wait for a place in a."]),
    # One in each of three processes, which have counted nothing before.
    (
        "WorkshopJobsFailing",
        {FAILED % pod: "0x5 1x60" for pod in ("console-0", "console-1", "template-converter-agent-0")},
        20,
        ["3 jobs of kind convert failed within an hour."],
    ),
    ("WorkshopJobsFailing", {FAILED % pod: "0x5 1x60" for pod in ("console-0", "console-1")}, 20, []),
    (
        "WorkshopAnswersInterrupted",
        {'workshop_chat_interrupted_total{workshop="a"}': "0x5 0+2x60"},
        40,
        ["30 answers in a did not reach their end within 15 minutes."],
    ),
    ("WorkshopAnswersSlow", {FIRST % "10": "0x120", FIRST % "30": "0+6x120", FIRST % "+Inf": "0+6x120"}, 100, [
        "One in twenty answers of a begins after more than 15 seconds."
    ]),
    ("WorkshopAnswersSlow", {FIRST % "10": "0+6x120", FIRST % "30": "0+6x120", FIRST % "+Inf": "0+6x120"}, 100, []),
    (
        "WorkshopScopeViolation",
        {'workshop_rag_scope_violations_total{pod="rag-agent-0"}': "0x10 1x60"},
        12,
        ["The vector store returned 1 rows of another workshop's; each was dropped."],
    ),
]  # fmt: skip


def test_every_alert_has_a_case_in_which_it_fires():
    assert {name for name, _, _, said in CASES if said} == {rule["alert"] for rule in rules()}


@pytest.mark.parametrize(("alert", "series", "minute", "said"), CASES)
def test_it_fires_when_it_should(checked: Path, alert: str, series: dict[str, str], minute: int, said: list[str]):
    case: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        # Nothing is expected, so promtool tells what there is.
        "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": alert, "exp_alerts": []}],
    }
    (checked / "case.yaml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": [case]})
    )
    done = promtool(checked, "test", "rules", "case.yaml")
    assert "SUCCESS" in done.stdout or "got:" in done.stdout + done.stderr, done.stdout + done.stderr
    assert re.findall(r'summary="([^"]*)"', done.stdout + done.stderr) == said

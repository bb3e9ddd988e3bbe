"""What the script does, and how it ends, beside a cluster that answers, refuses or stays silent."""

import base64
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.integration.cli.program import heeds_ctrl_c
from tests.integration.script.conftest import CORE, SCRIPT, Deploying, rule

QUICK = ("--skip", "content,smoke")


def test_a_workshop_is_deployed_in_order(deploying: Deploying):
    done = deploying("x", "spring-boot", "30", *QUICK)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^\[(\d)/9\]", done.stdout, re.M) == list("123456789")
    applied = [text for words, text in deploying.calls if "apply --server-side" in words]
    assert len(applied) == 2
    assert "kind: Job" in applied[0]
    assert "kind: Deployment" not in applied[0]
    assert "kind: Deployment" in applied[1]
    assert all("--field-manager=workshop-deploy" in words for words, _ in deploying.calls if " apply " in words)
    assert deploying.left_behind == []


def test_secrets_are_in_no_argument_and_only_the_join_code_is_shown(deploying: Deploying):
    done = deploying("x", "spring-boot", *QUICK)
    made = deploying.secrets["workshop-core-system/workshop-x"]
    values = {key: base64.b64decode(value).decode() for key, value in made.items()}
    assert re.fullmatch(r"postgresql://w_x:[-\w]{43}@db\.example:5432/workshops\?sslmode=require", values["database-url"])
    assert re.fullmatch(r"[A-HJ-NP-Z2-9]{8}", values["join-code"])
    assert f"join code      {values.pop('join-code')}" in done.stdout
    assert len(values["credential"]) == 43
    for value in [*values.values(), *(made[key] for key in values)]:
        assert value not in done.stdout + done.stderr
        assert not [words for words, _ in deploying.calls if value in words]


def test_a_second_run_keeps_the_secrets(deploying: Deploying):
    deploying("x", "spring-boot", *QUICK)
    before = deploying.secrets
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0
    assert "Secret workshop-x is there and stays as it is" in done.stdout
    assert deploying.secrets == before


def test_secrets_that_were_deleted_are_made_anew(deploying: Deploying):
    deploying.answering(rule("get namespace/", CORE + "x-workshop|Active|dedicated-instance|x|workshop-assistant|\n"))
    assert deploying("x", "spring-boot", *QUICK).returncode == 0
    before = deploying.secrets["workshop-core-system/workshop-x"]
    (deploying.folder / "bin/secrets.json").unlink()
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0, done.stderr
    after = deploying.secrets["workshop-core-system/workshop-x"]
    assert {key for key in before if before[key] == after[key]} == set()


def test_oc_does_where_there_is_no_kubectl(deploying: Deploying):
    deploying.client = "oc"
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0, done.stderr


def test_without_a_client_it_says_so(deploying: Deploying):
    deploying.client = ""
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 1
    assert "neither kubectl nor oc is installed" in done.stderr


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ([rule("get namespace/", CORE + "x-workshop|Active||||\n")], "it is somebody else's"),
        (
            [rule("get namespace/", CORE + "x-workshop|Active|dedicated-instance|y|workshop-assistant|\n")],
            "is not that of workshop x",
        ),
        ([rule("get namespace/", CORE + "x-workshop|Terminating|dedicated-instance|x|workshop-assistant|\n")], "is Terminating"),
        ([rule("get namespace/", "workshop-core-system|Active||||\n")], "not labelled as the shared core"),
        (
            [rule("create --validate=false", "create namespaces; patch secrets in x-workshop; ")],
            "you may not: create namespaces; patch",
        ),
        ([rule("get nodes", "|300m|256Mi\n")], "there is no room: 0.20 cores and 0.25 GiB are needed; the nodes have 0.30 cores"),
    ],
)
def test_preflight_refuses_and_changes_nothing(deploying: Deploying, changed: list, said: str):
    deploying.answering(*changed)
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 1
    assert "Step 1 (Check tools, rights, names and room) failed" in done.stderr
    assert said in done.stderr
    assert "To go on:" in done.stderr
    assert deploying.changed == []


def test_a_node_that_takes_no_pods_is_no_room(deploying: Deploying):
    deploying.answering(rule("get nodes", "true|64|64Gi\n|200m|256Mi\n"))
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 1
    assert "the nodes have 0.20 cores and 0.25 GiB, of which pods request 0.10 cores" in done.stderr


def test_room_is_not_claimed_where_nodes_may_not_be_listed(deploying: Deploying):
    deploying.answering(rule("get nodes", error="Error from server (Forbidden): nodes is forbidden\n", status=1))
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0
    assert "room in the cluster is not checked" in done.stderr


def test_without_a_core_and_shared_false_it_fails(deploying: Deploying):
    deploying.answering(rule("get namespace/", ""))
    done = deploying("x", "spring-boot", "5", "false", *QUICK)
    assert done.returncode == 1
    assert "the shared core is not on this cluster" in done.stderr
    assert deploying.changed == []


def test_a_core_that_is_there_is_not_touched(deploying: Deploying):
    deploying("x", "spring-boot", *QUICK)
    # Its own objects in the core's namespace belong to the workshop; the core's overlay is never even rendered.
    assert not [words for words, _ in deploying.calls if "kustomize" in words and words.endswith("/core")]


def test_an_api_server_that_comes_back_is_waited_for(deploying: Deploying):
    refused = "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n"
    deploying.answering(rule("get statefulsets", error=refused, status=1, times=2))
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0
    assert done.stderr.count("the API server does not answer") == 1


def test_an_api_server_that_stays_away_is_given_up(deploying: Deploying):
    deploying.answering(rule("get namespace/", error="dial tcp 127.0.0.1:1: connect: connection refused\n", status=1))
    done = deploying("x", "spring-boot", "--timeout", "2", *QUICK)
    assert done.returncode == 1
    assert "the cluster cannot be asked: dial tcp" in done.stderr
    assert "check your kubeconfig" in done.stderr


def test_a_job_that_differs_is_made_anew(deploying: Deploying):
    immutable = 'The Job "register-x" is invalid: spec.template: Invalid value: {"a": "b"}: field is immutable\n'
    deploying.answering(rule("apply --server-side", error=immutable, status=1, times=1), rule("delete job register-x"))
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0, done.stderr
    assert [words for words in deploying.changed if "delete job register-x" in words]


def test_a_failed_registration_says_what_its_log_says(deploying: Deploying):
    deploying.answering(
        rule("delete job register-x"),
        rule("get job", "Complete |0|0", times=1),
        rule("get job", "Failed |0|5"),
        rule("logs job/register-x", "PostgreSQL does not answer\n"),
    )
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 1
    assert "Step 4 (Namespace and registration) failed: Job register-x" in done.stderr
    assert "PostgreSQL does not answer" in done.stderr


def test_a_chat_agent_that_does_not_start_says_why(deploying: Deploying):
    deploying.answering(
        rule("get deployment chat-agent", "2|2|0|2|1|1"), rule("get pods -n x-workshop", "ImagePullBackOff no such image\n")
    )
    done = deploying("x", "spring-boot", "--timeout", "2", *QUICK)
    assert done.returncode == 1
    assert "Step 7 (Readiness) failed" in done.stderr
    assert "ImagePullBackOff no such image" in done.stderr


def test_content_and_smoke_run_in_the_console(deploying: Deploying, tmp_path: Path):
    content = tmp_path / "content"
    content.mkdir()
    (content / "workshop.yaml").write_text("slug: x\n")
    deploying.answering(rule("operate ask", "An answer [1] steps/01/content.md:3\n"))
    done = deploying("x", "spring-boot", "--source", str(content))
    assert done.returncode == 0, done.stderr
    assert "An answer [1] steps/01/content.md:3" in done.stdout
    ran = [words for words, _ in deploying.calls if " operate " in words]
    assert [words.partition(" operate ")[2] for words in ran] == ["content x --archive -", "ask x"]
    assert all("exec -i -n workshop-core-system console-0 -- workshop-service" in words for words in ran)


@pytest.mark.parametrize(
    ("arguments", "operated"),
    [
        ([], "content x --example spring-boot"),
        (["--source", "https://git.example/a.git"], "content x --source https://git.example/a.git"),
        (["--source", "https://git.example/a.git#v2"], "content x --source https://git.example/a.git --ref v2"),
    ],
)
def test_content_comes_from_where_it_was_said(deploying: Deploying, arguments: list[str], operated: str):
    done = deploying("x", "spring-boot", *arguments, "--skip", "smoke")
    assert done.returncode == 0, done.stderr
    assert [words.partition(" operate ")[2] for words, _ in deploying.calls if " operate " in words] == [operated]


def test_no_citation_is_a_failure(deploying: Deploying):
    deploying.answering(rule("operate ask", error="The answer cites nothing.\n", status=1))
    done = deploying("x", "spring-boot")
    assert done.returncode == 1
    assert "Step 8 (Smoke test) failed" in done.stderr
    assert "The answer cites nothing." in done.stderr


def test_dry_run_and_diff_change_nothing(deploying: Deploying):
    deploying.answering(
        rule("get namespace/", CORE + "x-workshop|Active|dedicated-instance|x|workshop-assistant|\n"),
        rule("diff --server-side", "-  PARTICIPANT_LIMIT: 50\n", status=1),
    )
    diff = deploying("x", "spring-boot", "--diff")
    assert diff.returncode == 0, diff.stderr
    assert "PARTICIPANT_LIMIT" in diff.stdout
    dry = deploying("x", "spring-boot", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert all("--dry-run=server" in words for words in deploying.changed)


def test_without_content_a_chat_agent_that_runs_is_enough(deploying: Deploying):
    deploying.answering(
        rule("get deployment chat-agent -n x-workshop -o jsonpath"),
        rule("get deployment chat-agent", "2|2|0|2|1|1"),
        rule("get pods -n x-workshop -l app.kubernetes.io/name=chat-agent -o go-template", "x\n", times=1),
        rule("get pods -n x-workshop -l app.kubernetes.io/name=chat-agent -o go-template", "x\nx\n"),
        rule("get pods -n x-workshop"),
    )
    done = deploying("x", "spring-boot", *QUICK)
    assert done.returncode == 0, done.stderr
    assert "2 of 2 new ones, 0 available" in done.stdout
    assert "is ready once its content is published" in done.stdout


def test_removal_asks_first(deploying: Deploying):
    deploying.answering(rule("get namespace/", CORE + "x-workshop|Active|dedicated-instance|x|workshop-assistant|\n"))
    done = deploying("x", "--delete")
    assert done.returncode == 1
    assert "nobody is there to be asked" in done.stderr
    assert deploying.changed == []


def test_removal_goes_from_content_to_secrets(deploying: Deploying):
    deploying.answering(
        rule(
            "get namespace/x-workshop|get namespace/w.* namespace/x",
            CORE + "x-workshop|Active|dedicated-instance|x|workshop-assistant|\n",
        ),
        rule("get namespace x-workshop"),
        rule("get deployment chat-agent -n x-workshop", "deployment.apps/chat-agent\n"),
        rule("patch deployment.apps/chat-agent"),
        rule("get pods -n x-workshop -l app.kubernetes.io/name=chat-agent -o name", "pod/one\npod/two\n", times=1),
        rule("get pods"),
        rule("delete"),
    )
    done = deploying("x", "--delete", "--yes")
    assert done.returncode == 0, done.stderr
    assert "2 pods end" in done.stdout + done.stderr
    order = [
        "operate remove x",
        "patch deployment.apps/chat-agent",
        "delete namespace x-workshop",
        "apply --server-side",
        "delete job,configmap",
        "delete secret workshop-x",
    ]
    assert [step for words in deploying.changed for step in order if step in words] == order
    assert all("workshop-name=x" in words for words in deploying.changed if " -l " in words)


def test_removal_of_somebody_elses_namespace_is_refused(deploying: Deploying):
    deploying.answering(rule("get namespace/", CORE + "x-workshop|Active||||\n"))
    done = deploying("x", "--delete", "--yes")
    assert done.returncode == 1
    assert "it is somebody else's" in done.stderr
    assert deploying.changed == []


def test_status_of_none_is_a_failure(deploying: Deploying):
    done = deploying("x", "--status")
    assert done.returncode == 1
    assert "there is no workshop x" in done.stderr


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_stopping_it_is_safe(deploying: Deploying, group: list[subprocess.Popen[str]], number: int, status: int):
    deploying.answering(rule("operate content", status="sleep"))
    process = subprocess.Popen(
        [SCRIPT, "x", "spring-boot"], env=deploying.prepare(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=heeds_ctrl_c,
    )  # fmt: skip
    group.append(process)
    end = time.monotonic() + 120
    while not any("operate content" in words for words, _ in deploying.calls):
        assert time.monotonic() < end
        time.sleep(0.05)
    # As a terminal does it: the whole group gets Ctrl-C.
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == status
    assert "Stopped in step 6" in errors
    assert deploying.left_behind == []

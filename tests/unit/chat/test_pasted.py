import pytest
from hypothesis import given
from hypothesis import strategies as st

from workshop_chat.stages.pasted import identifying_lines, pasted_error, without_control

PYTHON = """Traceback (most recent call last):
  File "/app/main.py", line 3, in <module>
    import requests
ModuleNotFoundError: No module named 'requests'
"""
JAVA = """2026-03-01T10:00:00.123Z ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed
org.springframework.beans.factory.BeanCreationException: Error creating bean with name 'dataSource'
\tat org.springframework.beans.factory.support.AbstractBeanFactory.doGetBean(AbstractBeanFactory.java:333)
\t... 18 more
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)
"""
KUBECTL = """$ kubectl apply -f harbor.yaml
Error from server (Forbidden): error when creating "harbor.yaml": deployments.apps is forbidden
"""


def test_the_exception_of_a_traceback_is_found():
    found = pasted_error(f"What does this mean?\n\n{PYTHON}")
    assert found is not None
    assert found.words == "What does this mean?"
    assert found.lines[0] == "ModuleNotFoundError: No module named 'requests'"


def test_the_innermost_cause_comes_first():
    found = pasted_error(JAVA)
    assert found is not None
    assert found.words == ""
    assert found.lines[0] == "Caused by: java.net.ConnectException: Connection refused"
    assert any("Application run failed" in line for line in found.lines)
    assert not any("2026-03-01" in line or "\tat" in line for line in found.lines)


def test_a_fence_is_output():
    found = pasted_error(f"I ran it and got\n```\n{KUBECTL}```\nwhat now?")
    assert found is not None
    assert found.words == "I ran it and got what now?"
    assert found.lines == ('Error from server (Forbidden): error when creating "harbor.yaml": deployments.apps is forbidden',)


def test_words_around_output_without_a_fence():
    found = pasted_error(f"This happened:\n{KUBECTL}\nHelp me please")
    assert found is not None
    assert found.words == "This happened: Help me please"
    assert found.output.startswith("$ kubectl apply")


@pytest.mark.parametrize(
    "text",
    [
        "Why is my pod in CrashLoopBackOff?",
        "I get an error when I deploy. What can I do?",
        "How do I deploy?\nAnd how do I undo it?",
        "I could not find the file.\nWhere is it?",
        "```yaml\nreplicas: 3\n```\nWhat does this do?",
        "",
    ],
)
def test_a_question_is_no_output(text: str):
    assert pasted_error(text) is None


def test_colours_and_progress_bars_go():
    assert without_control("\x1b[31mError:\x1b[0m no\x1b]0;title\x07 space\r\nnext") == "Error: no space\nnext"


def test_what_differs_from_run_to_run_goes():
    one = identifying_lines("12:00:01 Error: pod harbor-7d9f8b6c5d-x2x9z not found (3f2504e0-4f89-11d3-9a0c-0305e82c3301)")
    two = identifying_lines("12:07:59 Error: pod harbor-5f6b7c8d9e-abcde not found (9a2504e0-4f89-11d3-9a0c-0305e82c3301)")
    assert one == two != ()


def test_numbers_that_name_an_error_stay():
    assert identifying_lines("ORA-00942: table or view does not exist\nHRESULT: 0x80070005 error") == (
        "ORA-00942: table or view does not exist",
        "HRESULT: 0x80070005 error",
    )


@given(st.text(max_size=400))
def test_any_message_is_read(text: str):
    found = pasted_error(text)
    assert found is None or len(found.lines) <= 4

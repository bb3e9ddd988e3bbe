"""What the chat agent counts. On the laptop several workshops share one process, so each figure carries its workshop."""

from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from shared_services.llm.errors import ModelTrouble

QUESTIONS = Counter("workshop_chat_questions_total", "Messages taken.", ["workshop"])
ABSTENTIONS = Counter("workshop_chat_abstentions_total", "Questions that the workshop's content does not answer.", ["workshop"])
ASKED_BACK = Counter("workshop_chat_asked_back_total", "Messages that were answered with a question.", ["workshop"])
ANSWERS = Counter("workshop_chat_answers_total", "Answers given, by who wrote them.", ["workshop", "writer"])
REFUSALS = Counter("workshop_chat_refusals_total", "Messages and answers that a safety check ended.", ["workshop"])
INTERRUPTED = Counter("workshop_chat_interrupted_total", "Answers that did not reach their end.", ["workshop"])
FEEDBACK = Counter("workshop_chat_feedback_total", "Ratings of answers, a changed one anew.", ["workshop", "rating"])
EXPIRED = Counter("workshop_chat_expired_rows_total", "Rows deleted because of their age, by kind.", ["workshop", "kind"])
STOPPED = Counter("workshop_chat_stopped_total", "Answers that their participant stopped.", ["workshop"])
FIRST_BLOCK_SECONDS = Histogram(
    "workshop_chat_first_block_seconds",
    "Seconds from the message to the first block of its answer.",
    ["workshop"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
SESSIONS = Gauge("workshop_chat_sessions", "Sessions by state, as this process last saw them.", ["workshop", "state"])
MODEL_WAITING = Gauge("workshop_chat_model_waiting", "Answers that wait for the model.", ["workshop"])
LIVE_CONNECTIONS = Gauge("workshop_chat_live_connections", "Pages that listen for what happens.", ["workshop"])
MODEL_ERRORS = Counter("workshop_chat_model_errors_total", "Calls of the model that failed, by reason.", ["workshop", "reason"])
MODEL_STREAMS = Gauge("workshop_chat_model_streams", "Answers that the model is writing.", ["workshop"])
FIRST_WORDS_SECONDS = Histogram(
    "workshop_chat_model_first_words_seconds",
    "Seconds from asking the model to its first words, further tries included.",
    ["workshop"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)


def begin(workshop: str) -> None:
    """Let a workshop's counters stand at zero before anything happens.

    Prometheus sees how much a counter grew, and one that comes into being at 1 has not grown:
    alerts would miss what happens first.
    """
    for counter in (QUESTIONS, ABSTENTIONS, ASKED_BACK, REFUSALS, INTERRUPTED, STOPPED):
        counter.labels(workshop)
    for reason in get_args(ModelTrouble):
        MODEL_ERRORS.labels(workshop, reason)

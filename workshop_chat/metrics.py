"""What the chat agent counts. On the laptop several workshops share one process, so each figure carries its workshop."""

from prometheus_client import Counter, Gauge, Histogram

QUESTIONS = Counter("workshop_chat_questions_total", "Messages taken.", ["workshop"])
ABSTENTIONS = Counter("workshop_chat_abstentions_total", "Questions that the workshop's content does not answer.", ["workshop"])
ANSWERS = Counter("workshop_chat_answers_total", "Answers given, by who wrote them.", ["workshop", "writer"])
REFUSALS = Counter("workshop_chat_refusals_total", "Messages and answers that a safety check ended.", ["workshop"])
INTERRUPTED = Counter("workshop_chat_interrupted_total", "Answers that did not reach their end.", ["workshop"])
STOPPED = Counter("workshop_chat_stopped_total", "Answers that their participant stopped.", ["workshop"])
FIRST_BLOCK_SECONDS = Histogram(
    "workshop_chat_first_block_seconds",
    "Seconds from the message to the first block of its answer.",
    ["workshop"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)
MODEL_ERRORS = Counter("workshop_chat_model_errors_total", "Calls of the model that failed, by reason.", ["workshop", "reason"])
MODEL_STREAMS = Gauge("workshop_chat_model_streams", "Answers that the model is writing.", ["workshop"])
FIRST_WORDS_SECONDS = Histogram(
    "workshop_chat_model_first_words_seconds",
    "Seconds from asking the model to its first words, further tries included.",
    ["workshop"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
)

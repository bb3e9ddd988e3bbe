"""Small talk, follow-ups, and what lies inside, beside and outside of a workshop's content."""

from tests.integration.chat.strangers.case import ABSTAIN, ANSWER, HEALTH, SECURITY, SERVED, SMALL, SPRING, Case


def small(workshop: str, text: str) -> Case:
    return Case("greeting", workshop, (text,), SMALL, clean=("*",))


def greeted(workshop: str, text: str, cites: str = "") -> Case:
    return Case("greeting with a question", workshop, (text,), SERVED, cites=cites, clean=("*",))


def follow(workshop: str, cites: str, *turns: str, step: str | None = None) -> Case:
    return Case("follow-up", workshop, turns, SERVED, cites=cites, step=step, clean=("*",))


def inside(workshop: str, text: str, cites: str) -> Case:
    return Case("in scope", workshop, (text,), ANSWER, cites=cites, clean=("*",))


def outside(kind: str, workshop: str, text: str) -> Case:
    return Case(kind, workshop, (text,), ABSTAIN, clean=("*",))


GREETINGS = [
    small(SECURITY, "hi"),
    small(SPRING, "Hey there!!"),
    small(HEALTH, "good morning :)"),
    small(SECURITY, "Moin"),
    small(SPRING, "Servus zusammen"),
    small(HEALTH, "yo"),
    small(SECURITY, "thx a lot, that helped"),
    small(SPRING, "Vielen lieben Dank!"),
    small(HEALTH, "ok perfect, thank you so much 🙏"),
    small(SECURITY, "cheers mate"),
    small(SPRING, "merci beaucoup"),
    small(HEALTH, "awesome, ty"),
    small(SECURITY, "bye for now"),
    small(SPRING, "see you tomorrow"),
    small(HEALTH, "What can you do?"),
    small(SECURITY, "who are you"),
    small(SPRING, "Hola, buenos días"),
    small(HEALTH, "great, it works now"),
    small(SECURITY, "Good evening everyone"),
    small(SPRING, "👋"),
    small(HEALTH, "Hello, how are you today?"),
    small(SECURITY, "got it, thanks!"),
]

GREETED = [
    greeted(SECURITY, "Hi! How do I let the reporter account read logs?", "steps/01-"),
    greeted(SPRING, "Thanks, that worked. How do I run the container image now?", "steps/06-"),
    greeted(HEALTH, "good morning, what does k-anonymous mean?", "steps/05-"),
    greeted(SECURITY, "cheers, and what is a LimitRange for?", "steps/05-"),
    greeted(SPRING, "Hello again :) why does curl give me a 415?", "steps/02-"),
    greeted(HEALTH, "hey, sorry to bother you, but which columns leak?", "steps/02-"),
    greeted(SECURITY, "Thank you! One more: why is base64 not encryption?", "steps/04-"),
    greeted(SPRING, "ok thanks bye - oh wait, where does start.sh write its output?", "steps/01-"),
    greeted(HEALTH, "Hallo, how do I choose a threshold?", "steps/04-"),
    greeted(SECURITY, "Hello\n\nWhich pod security standards are there?", "steps/02-"),
]

FOLLOW_UPS = [
    follow(SECURITY, "steps/05-", "What does a ResourceQuota limit?", "and a LimitRange?"),
    follow(SECURITY, "steps/03-", "What does a NetworkPolicy do?", "Which plugins enforce it?"),
    follow(SECURITY, "steps/04-", "Why are environment variables bad for secrets?", "And how is it done with a file instead?"),
    follow(SECURITY, "steps/02-", "What does the enforce mode do?", "and the warn one?"),
    follow(SPRING, "steps/05-", "What is the difference between a counter and a gauge?", "when does the first one go down?"),
    follow(SPRING, "steps/03-", "What does @NotBlank do?", "does that also work for numbers?"),
    follow(SPRING, "steps/06-", "Why does the image have two stages?", "what's in the second one?"),
    follow(HEALTH, "steps/04-", "What is sensitivity?", "and specificity?"),
    follow(HEALTH, "steps/05-", "What are quasi-identifiers?", "how do I coarsen them?"),
    follow(HEALTH, "steps/02-", "What is leakage?", "How do I recognise it?"),
    # A change of topic: the turn before must not pull the search its way.
    follow(
        SECURITY,
        "steps/05-",
        "Why is base64 not encryption?",
        "Something else: what happens to a container above its memory limit?",
    ),
    follow(SPRING, "steps/06-", "What does @Valid do?", "Different topic. What is a Containerfile?"),
    follow(HEALTH, "steps/06-", "How is the data split by patient?", "What belongs into a model card?"),
    follow(SECURITY, "steps/06-", "How do I deny all traffic?", "ok now: how do I audit the service accounts?"),
    follow(SPRING, "steps/01-", "How do I count parcels?", "Which Java version do I need for all this?"),
    follow(HEALTH, "steps/03-", "What does k-anonymity not promise?", "Why is the logistic regression compared with a baseline?"),
    follow(SECURITY, "steps/01-", "What does automountServiceAccountToken do?", "thanks", "And what does the Role allow?"),
    follow(SPRING, "steps/05-", "What is readiness?", "hi again", "what about liveness?"),
    follow(HEALTH, "steps/04-", "What is precision?", "can you say that more simply?"),
    follow(SECURITY, "steps/03-", "What do I need allow-dns.yaml for?", "why?"),
]

IN_SCOPE = [
    inside(SECURITY, "whats the difference between get and list on secrets", "steps/04-"),
    inside(SECURITY, "Why do two policies have to be written for one connection?", "steps/03-"),
    inside(SECURITY, "How can I see which rights an account has?", "steps/"),
    inside(SPRING, "Why does the user have to be a number?", "steps/06-"),
    inside(SPRING, "Where do I turn on the prometheus endpoint?", "steps/05-"),
    inside(SPRING, "what does MockMvc do", "steps/04-"),
    inside(HEALTH, "Why is accuracy the wrong measure?", "steps/0"),
    inside(HEALTH, "Why are the risks too low in the south?", "steps/04-"),
    inside(HEALTH, "What does the seed do?", "steps/01-"),
    inside(HEALTH, "is there real patient data in stays.csv?", "steps/01-"),
]

OUT_OF_SCOPE = [
    outside("out of scope", workshop, text)
    for workshop, text in [
        (SECURITY, "Who won the football world cup in 2014?"),
        (SECURITY, "Write me a poem about autumn leaves"),
        (SECURITY, "What is the best restaurant in Vienna?"),
        (SPRING, "How do I knead sourdough?"),
        (SPRING, "What is the derivative of x squared?"),
        (SPRING, "Who is the president of France?"),
        (HEALTH, "Recommend me a good science fiction novel"),
        (HEALTH, "How tall is Mount Everest?"),
        (HEALTH, "Please translate 'I love you' into Japanese"),
        (SECURITY, "Should I buy bitcoin now?"),
        (SPRING, "Tell me a joke about penguins"),
        (HEALTH, "What's the weather like tomorrow?"),
    ]
]

NEAR = [
    outside("nearly in scope", workshop, text)
    for workshop, text in [
        (SECURITY, "How do I set up OPA Gatekeeper constraint templates?"),
        (SECURITY, "How do I install Vault with Helm and unseal it?"),
        (SECURITY, "How do I rotate the etcd certificates with kubeadm?"),
        (SECURITY, "How do I configure mTLS between services with Istio?"),
        (SPRING, "How do I connect the service to Kafka?"),
        (SPRING, "How do I write a reactive WebFlux handler?"),
        (SPRING, "How do I secure the endpoints with OAuth2 and Keycloak?"),
        (SPRING, "How do I compile a GraalVM native image?"),
        (HEALTH, "How do I train an XGBoost model with cross-validation?"),
        (HEALTH, "How do I load FHIR bundles into pandas?"),
        (HEALTH, "How do I segment MRI images with a U-Net?"),
        (HEALTH, "How do I compute SHAP values?"),
    ]
]

WORDS_WITHOUT_ANSWER = [
    outside("words without the answer", workshop, text)
    for workshop, text in [
        (SECURITY, "How much does a namespace cost per month?"),
        (SECURITY, "Who invented the NetworkPolicy?"),
        (SECURITY, "In which year was the ServiceAccount introduced in Kubernetes?"),
        (SECURITY, "What is the maximum size of a Secret in bytes?"),
        (SPRING, "What is the recipient's favourite colour?"),
        (SPRING, "How many employees does the parcel desk have?"),
        (SPRING, "Which company sells Micrometer licences?"),
        (SPRING, "How do I send a parcel to Australia by ship?"),
        (HEALTH, "What does a hospital stay cost in Austria?"),
        (HEALTH, "How old was the oldest nurse on the ward?"),
        (HEALTH, "Which university published the readmission model?"),
        (HEALTH, "What is the phone number of the quality officer?"),
    ]
]

FOREIGN = [
    outside("another workshop's content", workshop, text)
    for workshop, text in [
        (SECURITY, "How do I mark the request body with @Valid?"),
        (SECURITY, "What is the AUC of days_to_readmission?"),
        (SPRING, "How do I write default-deny.yaml?"),
        (SPRING, "What does k-anonymity promise?"),
        (SPRING, "How do I mount the database secret as a file with fsGroup?"),
        (HEALTH, "How do I expose the prometheus actuator endpoint?"),
        (HEALTH, "What does the restricted pod security standard forbid?"),
        (HEALTH, "How do I post a parcel with curl?"),
    ]
]

CASES = [*GREETINGS, *GREETED, *FOLLOW_UPS, *IN_SCOPE, *OUT_OF_SCOPE, *NEAR, *WORDS_WITHOUT_ANSWER, *FOREIGN]

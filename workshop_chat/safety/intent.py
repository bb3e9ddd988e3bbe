"""The checks of what somebody means: to talk the assistant out of its rules, to hurt others, or themselves.

They are lists of wordings in English, German, French and Spanish, so they know what they were told and no more. What a list
cannot see is a safety model's work, where one is named. A text is read as people see it: characters that do not show are left
out, compatible ones are made alike, and lines of one paragraph are one line.
"""

import re
import unicodedata

from workshop_chat.safety.rules import listed

_PARAGRAPH = re.compile(r"\s*\n\s*\n\s*")
_SPACE = re.compile(r"[^\S\n]+")


def _flags(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(forms), re.IGNORECASE)


_MARKUP = re.compile(r"<\|(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|>|\[/?INST\]|<</?SYS>>")
_OVERRIDE = _flags(
    r"\b(?:ignore|disregard|forget|override|bypass)\b(?: \w+){0,3}? (?:(?:previous|prior|above|earlier|preceding|original)"
    r"(?: \w+){0,2} (?:instructions?|prompts?|system messages?)|your (?:\w+ )?(?:instructions?|prompts?|rules|guidelines"
    r"|restrictions|programming))\b",
    r"\b(?:ignore|disregard|forget) (?:everything|anything|all|whatever)(?: that)? (?:above|before this|you (?:were"
    r"|have been|are) told"
    r"|i (?:said|told you))\b",
    r"\b(?:ignore|disregard|forget) (?:all )?(?:the )?(?:instructions?|rules|prompts?) (?:above|before"
    r"|(?:that )?you (?:were|have been) given)\b",
    r"\b(?:ignorier\w*|missacht\w+|vergiss|vergesst|vergessen sie|umgeh\w*)\b(?: \w+){0,3}? "
    r"(?:(?:vorherige|vorige|bisherige|obige|frühere|ursprüngliche)[nrs]? (?:\w+ )?(?:anweisung\w*|instruktion\w*"
    r"|befehle?n?|prompts?|vorgaben)"
    r"|(?:dein|eur|ihr)e?[rn]? (?:\w+ )?(?:anweisung\w*|instruktion\w*|regeln|vorgaben|richtlinien|beschränkungen|prompts?))\b",
    r"\b(?:ignore[sz]?|oublie[sz]?|contourne[sz]?)\b(?: \w+){0,2}? (?:(?:instructions?|consignes?|règles?|directives?)"
    r"(?: \w+){0,2}? (?:précédentes?|antérieures?|ci-dessus|initiales?)|(?:tes|vos) (?:instructions?|consignes?|règles?"
    r"|directives?))\b",
    r"\b(?:ignora|ignore|olvida|olvide|omite|sáltate)\b(?: \w+){0,2}? (?:(?:instrucciones|indicaciones|reglas|órdenes)"
    r"(?: \w+){0,2}? (?:anteriores|previas|de arriba|iniciales|originales)|(?:tus|sus) (?:instrucciones|reglas|normas"
    r"|indicaciones))\b",
)
# Who asks whether they may skip what the workshop tells them to do speaks of the workshop.
_OWN_STEPS = re.compile(
    r"\b(?:can|could|may|should|must|do|did|will|if|when|darf|kann|soll|wenn|puis|dois|puedo|debo|si) (?:i|we|ich|wir|je"
    r"|nous|yo)(?: \w+)?$"
    r"|\b(?:puis-je|dois-je|puedo|debo|peut-on)$",
    re.IGNORECASE,
)
_INJECTION = _flags(
    r"\b(?:reveal|show|print|repeat|output|tell me|give me|what (?:is|are))\b[^.\n]{0,30}\byour (?:system|hidden|initial"
    r"|secret|original) (?:prompts?|instructions?|messages?)\b",
    r"\b(?:repeat|print|output)\b[^.\n]{0,20}\b(?:text|words|everything"
    r"|all)\b[^.\n]{0,10}\babove\b[^.\n]{0,30}\b(?:verbatim|word for word|starting with)\b",
    r"\byou are (?:now|no longer) (?:an? )?(?:dan\b|unrestricted|jailbroken|free of|bound by)",
    r"\byou are dan\b|\bdo anything now\b",
    r"\bfrom now on,? you (?:have no|are free of|may ignore|do not have(?: any)?) (?:\w+ )?(?:rules|restrictions|limits"
    r"|guidelines|instructions)",
    r"\b(?:enable|enter|activate|switch to) (?:god|dan|jailbreak|unrestricted) mode\b",
    r"\b(?:pretend|act|behave|answer)\b (?:that |as if |as though )?you (?:have|had|(?:are|were) not bound by) (?:no |any )?"
    r"(?:rules|restrictions|limits|guidelines|instructions)",
    r"\b(?:zeig|nenn|verrat|gib|wie lautet|was (?:ist|steht in))\w*\b[^.\n]{0,30}\b(?:dein|ihr"
    r"|eur)e?[nrm]? (?:geheime[nrs]? |ursprüngliche[nrs]? )?"
    r"(?:system-?\s?prompt|system-?\s?anweisung\w*|system-?\s?nachricht)",
    r"\b(?:tu es|vous êtes) (?:maintenant )?(?:libre de|sans) (?:toute )?(?:règle|restriction|limite)",
    r"\b(?:montre|affiche|révèle|donne|quel(?:le)?s? (?:est|sont))\b[^.\n]{0,30}\b(?:ton|ta|tes|votre|vos) "
    r"(?:prompt système|invite système|instructions (?:système|initiales|cachées))",
    r"\b(?:muestra|muéstrame|revela|dime|imprime|cuál(?:es)? (?:es|son))\b[^.\n]{0,30}\b(?:tu|tus|su|sus) "
    r"(?:prompt (?:de|del) sistema|mensaje (?:de|del) sistema|instrucciones (?:de|del) sistema|instrucciones (?:iniciales"
    r"|ocultas))",
)
_TO_AN_ASSISTANT = _flags(
    r"\b(?:tell|inform|assure|convince) (?:the )?(?:users?|participants?|readers?|students?)\b",
    r"\b(?:respond|reply|answer|say) (?:only )?with\b|\b(?:do not|don't|never) (?:tell|mention|reveal)\b",
    r"\bas an (?:ai|assistant)\b|\byou are (?:now|an?) (?:ai|assistant|chatbot|bot)\b",
    r"\b(?:antworte|erwidere) (?:nur |stets |immer )?mit\b|\bsag\w* (?:dem|den|der) (?:nutzer\w*|teilnehmer\w*|leser\w*)\b"
    r"|\bverrat\w* (?:nicht|nie)",
    r"\b(?:réponds|répondez) (?:seulement |toujours )?(?:par|avec|que)\b|\b(?:dis|dites) (?:à l'utilisateur"
    r"|aux? (?:lecteurs?|participants?|utilisateurs?))",
    r"\b(?:responde|contesta) (?:solo |siempre )?(?:con|que)\b|\b(?:di|dile|diga) (?:al|a los) (?:usuarios?|lector(?:es)?"
    r"|participantes?)\b",
)
_ADDRESSED = _flags(
    r"\bif you are (?:an? )?(?:ai|llm|large language model|language model|ai assistant|chatbot)\b",
    r"\b(?:note|message|instructions?|attention|important)[,:]? (?:(?:to|for) )?(?:the |all |any )?"
    r"(?:ais?|llms?|language models?|ai assistants?|chatbots?)\b",
)

_TOOLS = (
    r"ransomware|keyloggers?|botnets?|phishing (?:pages?|mails?|emails?|sites?|websites?|kits?|campaigns?)|spyware|malware"
    r"|computer (?:virus(?:es)?|worms?)|ddos(?: attacks?)?|rootkits?|credential stuffing|stalkerware|trojans?|cryptojack\w*"
    r"|erpressungs?trojaner|erpressungssoftware|trojaner|schadsoftware|computervirus|phishing-?(?:seite|mail|e-mail)s?n?"
    r"|rançongiciels?|logiciels? (?:malveillants?|espions?)|virus informatiques?|chevaux? de troie|enregistreurs? de frappe"
    r"|programas? (?:malicios[oa]s?|espías?)|virus informáticos?|troyanos?|registrador(?:es)? de teclas"
)
_MAKE = _flags(
    r"\b(?:writ(?:e|ing)|creat(?:e|ing)|mak(?:e|ing)|build(?:ing)?|cod(?:e|ing)|program|develop|give me|show me|generate"
    r"|send|launch|spread"
    r"|plant|start|run|rent|buy)\b[^.?\n]{0,60}?\b(?P<en>" + _TOOLS + r")\b",
    r"\b(?:schreib\w*|erstell\w*|bau\w*|programmier\w*|mach\w*|entwickl\w*|starte\w*|verbreit\w*|gib mir"
    r"|zeig mir)\b[^.?\n]{0,60}?\b(?P<de>" + _TOOLS + r")\b",
    r"\b(?:écri\w*|cré\w*|fai(?:s|re|tes)|program\w*|développ\w*|lanc\w*|envoy\w*|donne-moi|montre-moi)\b[^.?\n]{0,60}?\b(?P<fr>"
    + _TOOLS
    + r")\b",
    r"\b(?:escrib\w*|escríb\w*|cre(?:a|o|ar)|créa\w*|haz\w*|hacer|programa\w*|desarroll\w*|lanz\w*|envi\w*|dame"
    r"|muéstrame)\b[^.?\n]{0,60}?"
    r"\b(?P<es>" + _TOOLS + r")\b",
)
_DEFENCE = _flags(
    r"\b(?:detect\w*|prevent\w*|stop\w*|block\w*|protect\w*|defen[dcs]\w*|mitigat\w*|against|scann?\w*|secur\w*|harden\w*"
    r"|safe|recogni[sz]\w*"
    r"|spot|remov\w*|analy[sz]\w*|identif\w*|alerts?|awareness|training|simulat\w*|rules? (?:for|that)|policy|policies"
    r"|signatures?)\b",
    r"\b(?:attackers?|adversar(?:y|ies)|hackers?|intruders?|red team\w*)\b",
    r"\b(?:erkenn\w*|verhinder\w*|schütz\w*|schutz\w*|abwehr\w*|gegen|angreifer\w*)\b",
    r"\b(?:détect\w*|empêch\w*|protég\w*|contre|attaquants?)\b",
    r"\b(?:detectar|evitar|proteger|contra|atacantes?)\b",
)
_EVASION = _flags(
    r"\b(?:avoid|evad|bypass|hid|escap)(?:e|es|ing)?s?\b[^.?\n]{0,20}\b(?:detection|anti-?virus|edr|defender|security)\b"
    r"|\bundetect\w*"
)
_PERSONS = (
    r"(?:someone|somebody|(?:an)?other (?:person|people|participant|student|user|company|team)s?"
    r"|my (?:neighbou?r|boss|ex|colleague|teacher|girlfriend|boyfriend|wife|husband|co-?worker|friend)|(?:his|her"
    r"|their) (?:account|phone|mail"
    r"|email|wifi|laptop))"
)
_ATTACK = _flags(
    r"\b(?:hack|break)(?:ing)?(?: into)?\b[^.?\n]{0,40}\b(?:" + _PERSONS + r"|my (?:school|employer|bank|university))",
    r"\b(?:get|log)(?:ting|ging)? into\b[^.?\n]{0,30}\b" + _PERSONS,
    r"\b(?:crack|guess|steal)(?:ing)?\b[^.?\n]{0,15}\b" + _PERSONS + r"(?:'s|s')? (?:\w+ )?(?:passwords?|account|pin|passcode)",
    r"\b(?:steal|exfiltrate)(?:ing)?\b[^.?\n]{0,30}\b(?:passwords?|credit cards?|credentials|identit(?:y|ies)"
    r"|data)\b[^.?\n]{0,15}"
    r"\b(?:from|of) (?:someone|somebody|a company|people|(?:an)?other (?:person|people|participant|student|user|customer"
    r"|compan)\w*"
    r"|my (?:school|boss|employer|users|customers|neighbou?r))",
    r"\b(?:attack|take down|ddos|exploit|spy on|stalk)(?:ing)?\b[^.?\n]{0,30}\b(?:a real|someone(?:'s| else's)|"
    + _PERSONS
    + r"|another (?:company"
    r"|team|participant)|the real \w+ (?:server|site|cluster|network)|my (?:school|employer|bank|neighbou?r))",
    r"\b(?:hack|knack|ausspionier|ausspäh|angreif|greif)\w*\b[^.?\n]{0,40}\b(?:mein(?:e[rsnm]?)? (?:nachbar|chef|ex|kolleg"
    r"|lehrer|schule|freund)"
    r"|jemand|ander(?:er|e|en) (?:leute|person|teilnehmer|firma))",
    r"\b(?:pirat|espionn|attaqu|hack)\w*\b[^.?\n]{0,40}\b(?:(?:de |à )?(?:mon|ma|mes) (?:voisin|patron|ex|collègue"
    r"|professeur|école|ami|copine)"
    r"|quelqu'un|d'une? autre (?:personne|participant|entreprise))",
    r"\b(?:hack|pirat|espi|atac)\w*\b[^.?\n]{0,40}\b(?:(?:de )?mi (?:vecin|jef|ex\b|coleg|compañer|profesor|escuela|amig|novi)"
    r"|alguien|otra (?:persona|empresa))",
)

_ONESELF = _flags(
    r"\b(?:kill(?:ing)? myself|end(?:ing)? my (?:own )?life|tak(?:e|ing) my own life|hurt(?:ing)? myself|harm(?:ing)? myself"
    r"|cut(?:ting)? myself(?: on purpose)?|no reason to live|i(?:'m| am| feel) suicidal|i(?:'d| would) be better off dead)\b",
    r"\bi (?:\w+ ){0,2}(?:want|wish|would like) (?:to (?:die|be dead|end it all)|i (?:was|were) dead)\b",
    r"\bi (?:\w+ )?(?:don'?t|do not|no longer) want to (?:live|be alive|exist)\b",
    r"\b(?:ich (?:\w+ ){0,3}(?:will|möchte|mag) (?:\w+ ){0,2}(?:sterben|tot sein|nicht mehr leben)"
    r"|bring\w* (?:ich )?mich(?: \w+)? um|mich umbringen|mir das leben"
    r" nehmen|mir etwas antun|mich (?:selbst )?verletzen|will nicht mehr leben|selbstmord begehen|suizid begehen)\b",
    r"\bje (?:\w+ ){0,2}(?:veux|voudrais|souhaite) (?:mourir|en finir|me tuer|plus vivre)\b|\bje ne veux plus vivre\b"
    r"|\b(?:me|m') ?suicider\b"
    r"|\benvie de (?:mourir|me suicider|me tuer|me faire du mal)\b",
    r"\b(?:yo )?(?:\bme )?quiero (?:morir(?:me)?|suicidarme|matarme|acabar con mi vida|hacerme daño)\b"
    r"|\bno quiero (?:seguir viviendo|vivir(?: más)?)\b"
    r"|\bquitarme la vida\b",
)
_SUICIDE = _flags(r"\bcommit(?:ting)? suicide\b|\bsuicidal\b|\bdon'?t want to live\b|\bbetter off dead\b")
_NOT_ABOUT_ONESELF = _flags(
    r"\b(?:process(?:es)?|pods?|containers?|jobs?|threads?|servers?|daemons?|services?|nodes?|commands?|scripts?|workers?"
    r"|actors?)\b"
)


def seen(text: str) -> str:
    """The text as people see it."""
    if not text.isascii():
        alike = unicodedata.normalize("NFKC", text).replace("’", "'")
        text = "".join(each for each in alike if unicodedata.category(each) != "Cf")
    paragraphs = _PARAGRAPH.split(text.replace("\r", ""))
    return "\n".join(_SPACE.sub(" ", each.replace("\n", " ")) for each in paragraphs)


def injection(text: str) -> str | None:
    """Words that would talk an assistant out of its instructions."""
    plain = seen(text)
    found = _MARKUP.search(text) or _INJECTION.search(plain) or _overrides(plain)
    return "instructions to the assistant" if found else None


def injected_text(text: str) -> str | None:
    """The same in a workshop's or document's text, where people are told to ignore things as well.

    It must carry a model's own markup, or speak to an assistant and take instructions back or call it by its kind.
    """
    plain = seen(text)
    found = _MARKUP.search(text) or ((_OVERRIDE.search(plain) or _ADDRESSED.search(plain)) and _TO_AN_ASSISTANT.search(plain))
    return "instructions to the assistant" if found else None


def _overrides(plain: str) -> bool:
    return any(
        not _OWN_STEPS.search(plain[max(0, found.start() - 40) : found.start()].rstrip()) for found in _OVERRIDE.finditer(plain)
    )


def attack(text: str) -> str | None:
    """A wish for help against somebody."""
    return "help to attack others" if _ATTACK.search(seen(text)) else None


def attack_tools(text: str) -> str | None:
    """A wish for a tool of attack; to ask how one works, or how to keep it out, is none."""
    found = listed(sorted(tools(text)))
    return f"help with {found}" if found else None


def tools(text: str) -> set[str]:
    """The tools of attack that somebody wishes to have made or used, in lower case."""
    wished: set[str] = set()
    for sentence in re.split(r"(?<=[.?!])\s|\n", seen(text)):
        if _DEFENCE.search(sentence) and not _EVASION.search(sentence):
            continue
        wished |= {next(filter(None, found.groupdict().values())).lower() for found in _MAKE.finditer(sentence)}
    return wished


def self_harm(text: str) -> str | None:
    """Words of someone who may be about to harm themselves."""
    plain = seen(text)
    found = _ONESELF.search(plain) or (_SUICIDE.search(plain) and not _NOT_ABOUT_ONESELF.search(plain))
    return "words of despair" if found else None

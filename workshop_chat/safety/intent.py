"""The checks of what somebody means: to talk the assistant out of its rules, to hurt others, or themselves.

They are lists of wordings in English, German, French and Spanish, so they know what they were told and no more. What a list
cannot see is a safety model's work, where one is named. A text is read as people see it: characters that do not show are left
out, compatible ones are made alike, and lines of one paragraph are one line. Words that try to pass by a list are read as well:
with digits in the place of letters, with each letter apart, and in base64.
"""

import base64
import binascii
import re
import unicodedata

from workshop_chat.safety.rules import listed

_PARAGRAPH = re.compile(r"\s*\n\s*\n\s*")
_SPACE = re.compile(r"[^\S\n]+")


def _flags(*forms: str) -> re.Pattern[str]:
    return re.compile("|".join(forms), re.IGNORECASE)


_MARKUP = re.compile(r"<\|(?:im_start|im_end|system|endoftext|eot_id|start_header_id)\|>|\[/?INST\]|<</?SYS>>")
# A frame of the sender's own making around what the system is to have said.
_FRAMED = re.compile(
    r"\[/system\]|</(?:system|system[_-]?prompt|instructions?)>|\bsystem override\b"
    r"|^[^\w\n]{0,12}(?:system|developer)(?: (?:message|prompt|override))?[^\w\n]{0,12}:[^\w\n]{0,12}(?:you\b"
    r"|new\b|the (?:assistant|ai)\b|ignore\b|all )",
    re.IGNORECASE | re.MULTILINE,
)
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
# "Show me your instructions for the model card" asks for the workshop's.
_YOUR_RULES = (
    r"(?:(?:the|your|its) (?:hidden |secret |internal |full |own |exact )?(?:system|initial|developer|hidden) "
    r"(?:prompts?|instructions?|messages?|rules)"
    r"|your (?:\w+ )?(?:instructions?|prompts?|guidelines|programming|rules)(?! (?:for|to|on|about|of|in|how)\b))"
)
_INJECTION = _flags(
    r"\b(?:reveal|show|print|repeat|output|read|recite|leak|dump|translate|summari[sz]e|paraphrase|encode|tell me|give me|send"
    r"|write down|spell out)(?:s|ing)?\b[^.\n]{0,30}\b" + _YOUR_RULES,
    r"\b(?:your|here are (?:the|your)) new (?:instructions?|rules|task|role|policy|system prompt)\b ?(?:is|are|:)",
    r"\bfrom (?:now on|this (?:point|moment)(?: on| forward| onwards?)?|here on)\b[^.\n]{0,40}"
    r"\b(?:ignore (?!the warning)|pretend|act as|behave (?:as|like)|you (?:are|have) (?:no|an?|free|un\w+)|no longer follow)",
    r"\b(?:act|behave|answer|respond|work) (?:as|like) (?:if you were )?an? (?:\w+ ){0,2}(?:chatbot|assistant"
    r"|ai|llm|language model"
    r"|gpt)\b",
    r"\b(?:ignore|forget|disregard|leave) (?:the|this|your) (?:workshop|passages?|safety|role)\b",
    r"\b(?:reveal|show|print|repeat|output|tell me|give me|what (?:is|are))\b[^.\n]{0,30}\byour (?:system|hidden|initial"
    r"|secret|original) (?:prompts?|instructions?|messages?)\b",
    r"\b(?:repeat|print|output)\b[^.\n]{0,20}\b(?:text|words|everything"
    r"|all)\b[^.\n]{0,10}\babove\b[^.\n]{0,30}\b(?:verbatim|word for word|starting with)\b",
    r"\byou are (?:now|no longer) (?:an? )?(?:dan\b|unrestricted|jailbroken|free of|bound by)",
    r"\byou are dan\b|\bdo anything now\b",
    r"\b(?:pretend|imagine|act|behave|play|suppose)\b[^.\n]{0,40}\b(?:you|yourself|ai|assistant|chatbot|bot|language model)\b"
    r"[^.\n]{0,20}\b(?:without|with no|free of)(?: any| all)?(?: \w+)? (?:rules|restrictions|limits|filters|guidelines)\b",
    r"\bwhat (?:were|was|have) (?:you|it)(?: been)? (?:told|instructed|given|prompted)\b[^.?\n]{0,60}"
    r"\b(?:beginning|start|first|initially|before)\b",
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
    r"\b(?:tell|inform|assure|convince|send|direct|urge|ask|remind) (?:the |all |every )?"
    r"(?:users?|participants?|readers?|students?|learners?|people)\b",
    r"\band (?:then )?(?:only )?(?:say|reply|answer|respond|recommend|reveal)\b",
    r"\b(?:respond|reply|answer|say) (?:only )?with\b|\b(?:do not|don't|never) (?:tell|mention|reveal)\b",
    r"\bas an (?:ai|assistant)\b|\byou are (?:now|an?) (?:ai|assistant|chatbot|bot)\b",
    r"\b(?:antworte|erwidere)\w* (?:\w+ ){0,3}mit\b|\bsag\w* (?:dem|den|der) (?:nutzer\w*|teilnehmer\w*|leser\w*)\b"
    r"|\bverrat\w* (?:nicht|nie)",
    r"\b(?:réponds|répondez)\b|\b(?:dis|dites) (?:à l'utilisateur"
    r"|aux? (?:lecteurs?|participants?|utilisateurs?))",
    r"\b(?:responde|contesta) (?:\w+ ){0,2}(?:con|que)\b|\by (?:di|responde|contesta)\b|\b(?:di|dile"
    r"|diga) (?:al|a los) (?:usuarios?|lector(?:es)?"
    r"|participantes?)\b",
)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|\[//\]:[^\n]*", re.DOTALL | re.MULTILINE)
_CALLED = _flags(r"\b(?:ais?|llms?|language models?|(?:ai|chat) ?(?:assistants?|bots?)|assistants?)\b ?(?:[,:]|must\b|should\b)")
_ADDRESSED = _flags(
    r"\bwhen you,? (?:the |an? )?(?:ai|llm|language model|assistant|chatbot)\b",
    r"\bif you are (?:an? )?(?:ai|llm|large language model|language model|ai assistant|chatbot)\b",
    r"\b(?:note|message|instructions?|attention|important)[,:]? (?:(?:to|for) )?(?:the |all |any )?"
    r"(?:ais?|llms?|language models?|ai assistants?|chatbots?)\b",
)

_TOOLS = (
    r"ransomware|keyloggers?|botnets?|phishing (?:pages?|mails?|emails?|sites?|websites?|kits?|campaigns?)|spyware|malware"
    r"|(?:crypto|coin|bitcoin|monero)[ -]?min(?:ers?|ing)|exploits?|reverse shells?|shellcode"
    r"|computer (?:virus(?:es)?|worms?)|ddos(?: attacks?)?"
    r"|rootkits?|credential stuffing|stalkerware|trojans?|cryptojack\w*"
    r"|erpressungs?trojaner|erpressungssoftware|trojaner|schadsoftware|computervirus|phishing-?(?:seite|mail|e-mail)s?n?"
    r"|rançongiciels?|logiciels? (?:malveillants?|espions?)|virus informatiques?|chevaux? de troie|enregistreurs? de frappe"
    r"|programas? (?:malicios[oa]s?|espías?)|virus informáticos?|troyanos?|registrador(?:es)? de teclas"
)
_MAKE = _flags(
    r"\b(?:writ(?:e|ing)|creat(?:e|ing)|mak(?:e|ing)|build(?:ing)?|cod(?:e|ing)|program|develop|give me|show me|generate"
    r"|send|launch|spread|deploy|install|hide"
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
_UNSEEN = (
    r"(?:undetected|unnoticed|without (?:being |getting )?(?:noticed|caught|detected|seen|(?:any(?:one|body)|them|him|her)"
    r" (?:noticing|knowing))|so (?:that )?no(?: ?one|body) (?:notices|knows|sees)|ohne,? dass (?:es |sie "
    r"|er )?\w+ (?:es )?merk\w*"
    r"|unbemerkt|sans (?:être (?:vu|repéré|détecté)|que personne)|sin que (?:nadie|se))"
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
_NOT_MINE = (
    r"(?:(?:my|our|the|mein\w*|unser\w*|mon|notre|mi) )?(?:employer|company|firm|boss|school|university"
    r"|colleague|neighbou?r|customer"
    r"|firma|chef|arbeitgeber|schule|kolleg|nachbar|entreprise|patron|empresa|jef)"
)
_WEAPON = (
    r"(?:(?:pipe|nail|car|dirty|petrol|letter|homemade|nuclear|chemical) )?bombs?|explosives?|hand ?grenades?|nerve (?:agent|gas)"
    r"|molotov\w*|rohrbomben?|bomben?|sprengs(?:toff|ätze)\w*|explosifs?|bombes?|explosivos?|bombas?"
)
_ATTACK = _flags(
    # One gets into one's own container to look around.
    r"\b(?:i|me|we)\b[^.?!\n]{0,30}\b(?:hack|break)(?:ing)? into (?!my |our |(?:\w+ ){0,3}(?:containers?|pods?"
    r"|shells?|debuggers?)\b)",
    rf"\b{_NOT_MINE}\w*\b[^.?!\n]{{0,60}}\b{_UNSEEN}|\b{_UNSEEN}[^.?!\n]{{0,60}}\b{_NOT_MINE}",
    # A fork bomb, a zip bomb and their like hurt a quota.
    r"\b(?:build|make|making|building|construct|assemble|bau\w*|bastel\w*|herstell\w*|fabriqu\w*|construi\w*|hacer)\b"
    rf"(?: (?:a|an|some|my|own|eine?|une?|des|una?|one)){{0,2}} (?:{_WEAPON})\b",
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
    r"\b(?:(?:kill|hang|shoot|drown|stab|burn|poison|starv)(?:e|ing)? myself"
    r"|end(?:ing)? my (?:own )?life(?![ -]?(?:cycle|time|span))"
    r"|tak(?:e|ing) my own life|hurt(?:ing)? myself|harm(?:ing)? myself"
    r"|cut(?:ting)? myself(?: on purpose)?|no reason to live|i(?:'m| am| feel) suicidal|i(?:'d| would) be better off dead"
    r"|better off (?:without me|if i (?:was|were) (?:dead|gone|not here))|can(?:'?t|not) go on (?:living|any ?more|like this)"
    r"|(?:don'?t|do not) want to (?:wake up|be here) (?:again|any ?more)"
    r"|(?:swallow(?:ed|ing)?|took|tak(?:e|ing)|overdos(?:e|ed|ing) on) (?:all|these|those|a lot|enough)(?: of)?"
    r"(?: the| my| these)? "
    r"(?:sleeping )?(?:pills|tablets))\b",
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
_SUICIDE = _flags(
    r"\b(?:think\w*|thought\w*|plan\w*|consider\w*|feel\w*|talk\w*) (?:about |of |on |like )?(?:\w+ ){0,2}suicide\b|"
    r"\bcommit(?:ting)? suicide\b|\bsuicidal\b|\bdon'?t want to live\b|\bbetter off dead\b"
    r"|\b(?:pills|tablets|overdose)\b[^.?!\n]{0,60}\b(?:end it all|kill me|die|enough to)\b"
)
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


_SPELT = re.compile(r"(?<!\w)(?:\w ){5,}\w(?!\w)")
_SPELT_WORD = re.compile(r"(?<!\w)(?:\w )+\w(?!\w)")
_LETTERS = str.maketrans("013457@$", "oleastas")
_MIXED = re.compile(r"\b(?=\w*[a-z]{2})[a-z0134578@$]*[013457@$][a-z0134578@$]*\b", re.IGNORECASE)
_DIGIT_INSIDE = re.compile(r"[A-Za-z]{2}[013457@$][A-Za-z]|\b[A-Za-z][013457@$][A-Za-z]{2}")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=])[A-Za-z0-9+/]{24,4000}={0,2}")


def readings(text: str) -> list[str]:
    """The text as people see it, and as they would read it where it hides its words; each once."""
    plain = seen(text)
    hidden = []
    if _DIGIT_INSIDE.search(plain):
        hidden.append(_MIXED.sub(lambda word: word[0].translate(_LETTERS), plain))
    if _SPELT.search(text):
        hidden.append(seen("\n".join(map(_joined, text.splitlines()))))
    hidden += [seen(decoded) for found in _BASE64.finditer(text) if (decoded := _from_base64(found[0]))]
    return list(dict.fromkeys([plain, *hidden]))


def _joined(line: str) -> str:
    """A line whose letters stand apart, and its words further apart, as it is read."""
    if not _SPELT.search(line):
        return line
    return " ".join(_SPELT_WORD.sub(lambda word: word[0].replace(" ", ""), part) for part in re.split(r" {2,}", line))


def _from_base64(text: str) -> str:
    """What base64 says, where that is text; else empty."""
    try:
        said = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return said if said.replace("\n", " ").isprintable() else ""


def injection(text: str) -> str | None:
    """Words that would talk an assistant out of its instructions."""
    found = (
        _MARKUP.search(text)
        or _FRAMED.search(text)
        or any(_INJECTION.search(plain) or _overrides(plain) for plain in readings(text))
        or any(form.search(hidden[0]) for hidden in _COMMENT.finditer(text) for form in (_ADDRESSED, _CALLED))
    )
    return "instructions to the assistant" if found else None


def injected_text(text: str) -> str | None:
    """The same in a workshop's or document's text, where people are told to ignore things as well.

    It must carry a model's own markup, or speak to an assistant and take instructions back or call it by its kind.
    """
    found = (
        _MARKUP.search(text)
        or any(
            (_OVERRIDE.search(plain) or _ADDRESSED.search(plain) or _FRAMED.search(text)) and _TO_AN_ASSISTANT.search(plain)
            for plain in readings(text)
        )
        # What no reader is shown, and tells somebody what to say, is not told to a reader.
        or any(
            form.search(hidden[0]) for hidden in _COMMENT.finditer(text) for form in (_OVERRIDE, _INJECTION, _ADDRESSED, _CALLED)
        )
    )
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

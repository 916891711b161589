"""Keys, tokens and passwords in a text, put out of sight: `masked("GITHUB_TOKEN=ghp_16C7…")` is `GITHUB_TOKEN=ghp_•••`.

What is recognised: the formats that vendors publish for their keys (each has a telling beginning, which stays), private
keys in PEM (RFC 7468), JSON Web Tokens (RFC 7519), passwords in addresses (RFC 3986, 3.2.1), values of an
`Authorization` header (RFC 9110), values assigned to a name like `password` or `token`, and long random hexadecimal or
base64 right behind such a word. What is not: a secret that looks like a word, or one that was put in another form
(spelled, translated, encoded). UUIDs, hashes of commits and trace ids stay, unless they are assigned to such a name.

Time grows with the length of the text, whatever is in it: what a rule reads from one start is bounded, or cannot be
read again from the next. Masking what is masked changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MASK = "•••"

INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Signs that take no room (Unicode's `Default_Ignorable_Code_Point`, and commands) and could part a key."""


def masked(text: str) -> str:
    """`text` with what looks like a key, a token, a private key or a password as `•••`."""
    bare = INVISIBLE.sub("", text)
    shown = _assigned(_known(bare))
    return text if shown == bare else shown


@dataclass(frozen=True, kw_only=True, slots=True)
class _Format:
    """What one kind of key looks like."""

    signs: tuple[str, ...]
    """One of them stands in every key of the kind; they are looked for first, as that costs next to nothing."""
    pattern: re.Pattern[str]
    """Group 1 is what stays in front of the mask, group 2 what stays behind it, where there is such a group."""


def _key(*begins: str, body: str, signs: tuple[str, ...] = ()) -> _Format:
    """A key with a telling beginning, in no longer run of letters and digits."""
    return _Format(
        signs=signs or begins,
        pattern=re.compile(rf"(?<![A-Za-z0-9])({'|'.join(map(re.escape, begins))})(?:{body})(?![A-Za-z0-9])"),
    )


WORD = r"[A-Za-z0-9_-]"

FORMATS = (
    # AWS: "Unique identifier prefixes" of the IAM user guide; Bedrock's keys.
    _key("AKIA", "ASIA", "ABIA", "ACCA", body=r"[A-Z0-9]{16}"),
    _key("ABSK", body=r"[A-Za-z0-9+/]{100,}+={0,2}"),
    # Google Cloud: API keys, OAuth access tokens and client secrets.
    _key("AIza", body=rf"{WORD}{{35}}"),
    _key("ya29.", body=rf"{WORD}{{20,}}+"),
    _key("GOCSPX-", body=rf"{WORD}{{20,}}+"),
    # Microsoft: Entra client secrets; keys that hold a signature of their service at a fixed place; DevOps tokens.
    _Format(
        signs=("Q~",),
        pattern=re.compile(r"(?<![A-Za-z0-9_~.-])()[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])"),
    ),
    _Format(signs=("JQQJ99",), pattern=re.compile(r"(?<![A-Za-z0-9])()[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,32}")),
    _Format(signs=("AZDO",), pattern=re.compile(r"(?<![A-Za-z0-9])()[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}(?![A-Za-z0-9])")),
    # GitHub ("Behind GitHub's new authentication token formats"), GitLab ("Token overview").
    _key("ghp_", "gho_", "ghu_", "ghs_", "ghr_", body=r"[A-Za-z0-9]{36,}+"),
    _key("github_pat_", body=r"[A-Za-z0-9_]{22,}+"),
    *(
        _key(f"gl{kind}-", body=r"[A-Za-z0-9_-]{20,}+(?:\.[A-Za-z0-9_-]{1,60}){0,3}")
        for kind in ("pat", "oas", "dt", "rt", "rtr", "cbt", "ptt", "ft", "imt", "agent", "soat", "ffct", "wt")
    ),
    # Slack: tokens of every kind, app-level tokens, webhooks.
    *(_key(f"xox{kind}", body=r"[-.][A-Za-z0-9.-]{10,}+") for kind in "abceoprs"),
    _key("xapp-", "xwfp-", body=r"[A-Za-z0-9-]{20,}+"),
    _Format(
        signs=("hooks.slack.com/",),
        pattern=re.compile(r"(hooks\.slack\.com/(?:services|workflows|triggers)/)[A-Za-z0-9/_-]{10,}+"),
    ),
    # Stripe, and its webhooks' signing secrets.
    *(
        _key(f"{kind}_{mode}_", body=r"[A-Za-z0-9]{10,}+")
        for kind in ("sk", "rk", "pk")
        for mode in ("live", "test", "prod")
    ),
    _key("whsec_", body=r"[A-Za-z0-9+/]{24,}+={0,2}"),
    # Model providers and gateways: `sk-…` with a kind of key behind it or without.
    _key("sk-ant-", "sk-proj-", "sk-svcacct-", "sk-admin-", "sk-or-", "sk-lf-", body=rf"{WORD}{{16,}}+"),
    _key("sk-", body=rf"(?=[A-Za-z_-]{{0,40}}[0-9]){WORD}{{20,}}+"),
    _key("gsk_", "hf_", "r8_", "nvapi-", "xai-", "pplx-", body=rf"{WORD}{{30,}}+"),
    # Package registries and images.
    _key("npm_", "rubygems_", "dckr_pat_", "dckr_oat_", body=rf"{WORD}{{27,}}+"),
    _key("pypi-AgE", body=rf"{WORD}{{50,}}+"),
    # Others whose keys begin with their name.
    _key("SG.", body=rf"{WORD}{{22}}\.{WORD}{{43}}"),
    _key("SK", body=r"[0-9a-f]{32}"),
    _key("key-", "dapi", body=r"[0-9a-f]{32}(?:-[0-9])?"),
    _key("dop_v1_", "doo_v1_", "dor_v1_", body=r"[0-9a-f]{64}"),
    _key("shpat_", "shpca_", "shppa_", "shpss_", body=r"[0-9A-Fa-f]{32}"),
    _key("sq0atp-", "sq0csp-", body=rf"{WORD}{{22,}}+"),
    _key("ATATT3", "ATCTT3", "ATBB", body=rf"(?:{WORD}|=){{24,}}+"),
    _key("lin_api_", "ntn_", "secret_", "glsa_", "glc_", "sntrys_", "sntryu_", body=r"[A-Za-z0-9_+/=]{32,}+"),
    _key("hvs.", "hvb.", "hvr.", "dp.pt.", "dp.st.", body=rf"{WORD}{{24,}}+"),
    _key("tskey-", "NRAK-", "PMAK-", "AGE-SECRET-KEY-1", body=rf"{WORD}{{20,}}+"),
    _Format(signs=(":AA",), pattern=re.compile(rf"(?<![A-Za-z0-9])([0-9]{{8,10}}:AA){WORD}{{33}}(?!{WORD})")),
    # JSON Web Tokens: the beginning is `{"` in base64.
    _Format(
        signs=("eyJ",),
        pattern=re.compile(rf"(?<![A-Za-z0-9_.-])(eyJ){WORD}{{8,}}+\.{WORD}{{8,}}+(?:\.{WORD}*+){{0,3}}"),
    ),
    # Private keys: to their end or, where that is missing, as far as they look like one.
    _Format(
        signs=("-----BEGIN",),
        pattern=re.compile(
            r"(-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)"
            r"(?:(?:[^-•]|-(?!----))++(-----END [A-Z0-9 ]{0,60}-----)"
            r"|(?:\s|\\n)*+(?=[A-Za-z0-9+/=]{16})(?:[A-Za-z0-9+/=\s]|\\n)++)"
        ),
    ),
    # Lines of such a key by themselves: of the lengths that RFC 7468, OpenSSH and MIME break base64 at.
    _Format(
        signs=("",),
        pattern=re.compile(
            r"(?m)^([ \t>]*+)(?=[A-Za-z+/]*+[0-9])(?=[a-z0-9+/]*+[A-Z])(?=[A-Z0-9+/]*+[a-z])"
            r"(?:[A-Za-z0-9+/]{64}|[A-Za-z0-9+/]{70}|[A-Za-z0-9+/]{76})[ \t\r]*$"
        ),
    ),
    # A password in an address.
    _Format(signs=("://",), pattern=re.compile(r"(://[^\s:/@?#\[\]<>]{0,100}:)[^\s/@?#<>•]{1,200}(@)(?=[\w\[])")),
    # A signature that opens an address to whoever has it.
    _Format(
        signs=("ig=", "ignature="),
        pattern=re.compile(r"(?i)([?&](?:sig|signature|x-amz-signature|x-goog-signature)=)[A-Za-z0-9%+/=_-]{20,}+"),
    ),
    # Values of a header, wherever it is written.
    _Format(
        signs=("earer ", "asic ", "EARER ", "ASIC "),
        pattern=re.compile(
            r"(?i)\b((?:bearer|authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?basic)[ \t]{1,3})"
            r"(?=[A-Za-z._~+/-]{0,200}[0-9=])[A-Za-z0-9._~+/-]{12,}+=*"
        ),
    ),
)


def _known(text: str) -> str:
    for format in FORMATS:
        if any(sign in text for sign in format.signs):
            text = format.pattern.sub(_replaced, text)
    return text


def _replaced(match: re.Match[str]) -> str:
    return f"{match[1]}{MASK}{match[2] or ''}" if match.re.groups > 1 else f"{match[1]}{MASK}"


PASSWORDS = (
    *("password", "passwd", "passphrase", "passcode", "passwort", "kennwort", "mot de passe", "contraseña", "senha"),
    *(
        "wachtwoord",
        "hasło",
        "şifre",
        "parola",
        "пароль",
        "كلمة المرور",
        "密码",
        "密碼",
        "口令",
        "パスワード",
        "पासवर्ड",
        "pwd",
    ),
)
"""Words before a value that may be anything."""

TOKENS = (
    *("token", "secret", "api key", "apikey", "api-key", "api_key", "access key", "access-key", "access_key"),
    *("accesskey", "private key", "private_key", "privatekey", "secret key", "secret_key", "secretkey", "account key"),
    *("accountkey", "account_key", "signing key", "signing_key", "encryption key", "encryption_key", "masterkey"),
    *("master_key", "credential", "schlüssel", "jeton", "令牌", "密钥", "токен", "ключ", "authorization"),
)
"""Words before a value that is random."""

KEY = "key"
"""Alone it means too much (a column, a key of a map): only long random values behind it go."""

NAME = re.compile(
    "|".join(
        [*sorted(map(re.escape, (*PASSWORDS, *TOKENS)), key=len, reverse=True), rf"{KEY}(?![a-rt-z])"],
    )
)
"""In small letters."""

LONGEST_READ = 64
"""Characters of a value by which it is judged."""

ASSIGNED = re.compile(
    r"(?i)(?:s(?=\s))?([\"'`*\])]{0,3}[ \t]{0,4})"
    r"(:?=>?|[:：＝]|[ \t]?(?:is|was|ist|lautet|war|est|es|è|jest)[ \t]:?|是|为|為)?"
    rf"(\s{{0,4}})([\"'`*(<]{{0,3}})([^\s\"'`,;&<>()•*|，。；、]{{4,{LONGEST_READ}}}+)(?!•)"
)
"""Behind a name: group 2 is the sign between, 1 and 3 the room around it, 4 quotation marks, 5 the value."""

REST = re.compile(r"[^\s\"'`,;&<>()•*|，。；、]*+")

WORD_BEHIND = re.compile(r"[ \t]+\w")

KINDS = tuple(map(re.compile, ("[a-z]", "[A-Z]", "[0-9]", r"[^\w.,:/-]")))
"""Of signs in a value: small and capital letters, digits, others."""

DIGIT = re.compile("[0-9]")
LETTER = re.compile(r"[^\W\d_]")
HEXADECIMAL = re.compile(r"(?:0x)?[0-9A-Fa-f]{32,}")
UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
RANDOM = re.compile(r"[A-Za-z0-9+/_=.~-]{20,}")
NO_SECRET = re.compile(
    r"(?i)(?:[$%{\[\\]|https?:|\.\./|\.{3}|…|[x*•_-]{3,}\W*$|(?:none|null|true|false|undefined|required|optional|string|str)\W*$)"
)
"""How something else than a secret begins: a variable, a placeholder, an address, a word of a programming language."""

MEASURE = re.compile(r"[<>~]?\d+(?:[.,:/-]\d+)*(?:[-–]?[^\W\d_]+)*\W*")
"""A number, a date, or a number with a word: `12-stellig`, `30min`."""


def _assigned(text: str) -> str:
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = re.sub("[A-Z]+", lambda match: match[0].lower(), text)
    parts: list[str] = []
    done = at = 0
    while name := NAME.search(lowered, at):
        at = name.end()
        match = ASSIGNED.match(text, at)
        if match is None or not _secret(name[0], match):
            continue
        start, end = match.start(5), REST.match(text, match.end(5)).end()  # type: ignore[union-attr]
        value = text[start:end]
        parts += (text[done:start], MASK)
        done = at = start + (len(value.rstrip(".:")) or len(value))
    return "".join(parts) + text[done:]


def _secret(name: str, match: re.Match[str]) -> bool:
    """Whether what stands behind a name looks like a secret, and not like the sentence going on."""
    sign, value = (match[2] or "").strip(), match[5].rstrip(".:")
    equals = sign.endswith(("=", ">", "＝"))
    mixed = DIGIT.search(value) is not None and LETTER.search(value) is not None
    if len(value) < 4 or not (mixed or equals) or NO_SECRET.match(value) or "…" in value:
        return False
    kinds = sum(1 for kind in KINDS if kind.search(value))
    hexadecimal = HEXADECIMAL.fullmatch(value) is not None
    random = kinds >= 3 and RANDOM.fullmatch(value) is not None and not UUID.fullmatch(value)
    if name == KEY:
        return (random and len(value) >= 32) or (hexadecimal and len(value) > 40)
    if hexadecimal or random:
        return True
    quoted = any(mark in match[4] for mark in "\"'`")
    if equals:
        if MEASURE.fullmatch(value):
            return name in PASSWORDS
        tight = not match[3] and not match[1].strip("\"'`")
        return quoted or kinds >= 2 or (tight and name in PASSWORDS)
    if not sign or MEASURE.fullmatch(value):
        return False
    strong = kinds >= 3 and len(value) >= 8
    if sign not in {":", "："}:
        return strong
    last = WORD_BEHIND.match(match.string, match.end(5)) is None
    return strong or (len(value) >= 6 and (quoted or last))

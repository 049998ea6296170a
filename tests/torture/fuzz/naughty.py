# ruff: noqa: E501
"""Strings that have broken programs, or look as if they would: our own list, by the habit they prey on."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator

_PLAIN = """
null NULL nil None undefined NaN nan Infinity -Infinity inf -inf true false True FALSE yes no on off
0 -0 +0 00 0.0 -0.0 .5 5. 1e999 -1e999 1e-999 0x10 0b11 0o17 1_000 1,000 1.000,5 ½ ² ٣ １２ 1/0 0/0
9007199254740993 2147483648 -2147483649 4294967296 18446744073709551616 1e308 -1e308 123456789012345678901234567890
__proto__ constructor prototype toString hasOwnProperty __class__ __init__ __dict__ __globals__ self this
CON PRN AUX NUL COM1 LPT1 desktop.ini .htaccess .git ~ . .. ... ./. ../ / // \\ \\\\ C:\\ file:///etc/passwd
undef void NULLIF default class def return import exit quit SELECT DROP UNION
%s %d %n %x %p %% %00 %0a %0d%0a %c0%ae %u0041 {} {0} {x} {{x}} {%x%} ${x} #{x} <%=x%> $x $(x) `x` !x @x *x* _x_
\\0 \\n \\r \\t \\x00 \\u0000 \\ud800 \\U0010ffff \\N{BULLET} \\1 \\Z \\e[31m
-- ; ;-- /* */ # // || && | & > < >> 2>&1 ' '' " "" ` ' OR '1'='1 ') admin'-- @@version sleep(9) xp_cmdshell
<script>alert(1)</script> <img/src=x/onerror=alert(1)> <svg/onload=x> javascript:x data:text/html,x <!-- --> ]]> <![CDATA[
<?xml?> <!DOCTYPE> <!ENTITY> &lt; &amp; &#0; &#x0; &#xD800; &#1114112; &nosuch; &copy &; &# &#x; <a <a> </a> <> </> <b/ <br><br/>
(a+)+$ ^(a|a)*$ [[:alpha:]] (?=x) (?:x) [^ ]* .* \\d+ \\p{L} a{1,99999}
ssh-rsa -----BEGIN= eyJhbGciOiJub25lIn0. Basic Bearer Cookie: Host: Content-Length:0
"""
_PHRASES = (
    "HTTP/1.1 200 OK", "GET / HTTP/1.1", "\r\n\r\n", "\r\nSet-Cookie: a=b", "a\r\nb", "data: x\n\nevent: y",
    "id: 1", "retry: 0", "  leading", "trailing  ", "\ttab", "tab\t", "\n", "\r", "\r\n", "\n\n\n", " ", "   ",
    "a\0b", "\0", "\0\0\0", "\x1b[2J", "\x1b]0;title\x07", "\x07\x08\x7f", "\x1a", "\x04", "\x00\x01\x02\x03",
    '{"text": "x"}', '{"text": ', "[1, 2", '"', "\\", '\\"', "{'text': 'x'}", '{"a":1,"a":2}', "[[[[[[", "}}}}",
    "Traceback (most recent call last):", 'File "x.py", line 1, in <module>', "ValueError: x", "Segmentation fault",
    "100-you are", "100-", "-100-a", "0-", "1e9-a", "١٠-a", "٣٤-", "5--5", "99999999999999999999-a",
    "\ufeff", "\ufeffa", "a\ufeffb", "\ufffe", "\uffff", "\U0010ffff", "\U000e0001", "\u0378", "\ue000", "\U000f0000",
    "\u202eabc", "abc\u202c", "\u2066\u2067\u2068\u2069", "\u200e\u200f", "\u061c", "a\u200bb", "a\u200db", "\u2060",
    "\u00ad", "a\u00adb", "\u180e", "\u3164", "\uffa0", "\u115f\u1160", "\u2028", "\u2029", "\u0085", "\x0b\x0c",
    "e\u0301", "\u0301", "\u0301\u0301\u0301", "a" + "\u0335" * 40, "\u1112\u1161\u11ab", "ﬁ", "ﷺ", "ß", "ẞ", "İ", "ı",
    "ſ", "K", "Å", "Ω", "ŉ", "ǰ", "ΐ", "ﬗ", "ς", "ΣΑΣ", "ʼn", "ﾊﾝｶｸ", "Ａｂｃ", "𝓣𝓮𝔁𝓽", "ʇxǝʇ", "T̶e̶x̶t̶", "Ⓣⓔⓧⓣ",
    "好电影", "とても良い", "정말 좋아요", "ดีมาก", "फ़िल्म", "فيلم رائع", "סרט נהדר", "фильм", "ταινία", "գեղեցիկ", "ფილმი",
    "ፊልም", "ภาพยนตร์", "រឿង", "ရုပ်ရှင်", "གློག་བརྙན", "ᚠᚢᚦ", "𓀀", "𐎠", "🙂", "👩‍👩‍👧‍👦", "🏳️‍🌈", "🇱🇧", "☝🏿",
    "1️⃣", "🧑🏽‍🚀", "©®™", "¡¿", "—–‐", "“”‘’«»", "…", "€£¥", "¬¦", "×÷", "∑∫√", "⇒", "☃", "�", "\udc80", "\ud800",
    "\udfff\ud800", "\ud83d", "\ude00", "a\ud800b", "\ud83d\ude00",
)  # fmt: skip


def _shaped() -> Iterator[str]:
    """Yield what is better made than written."""
    yield from (chr(code) for code in range(0x20))
    yield from (f"a{chr(code)}b" for code in range(0x7F, 0xA1))
    yield from (f"a{c}b" for c in map(chr, range(0x110000)) if unicodedata.category(c) == "Zs")
    yield from (f"a{c}b" for c in map(chr, range(0x3000)) if unicodedata.category(c) == "Cf")
    yield from string.punctuation
    yield from (mark * 300 for mark in string.punctuation)
    for size in (1, 2, 50, 1000, 20_000):
        yield from ("a" * size, "a " * size, "\u0301" * size, "😀" * size, "<" * size, "&#" * size)
    yield from ("[" * 5000, '{"a":' * 5000, "(" * 5000, "<b>" * 5000, "9" * 5000, "-" + "9" * 5000)
    yield from (opening + "x" + closing for opening in "([{<«“" for closing in ")]}>»”")
    yield from ("good " * 700, "a wonderful evening " * 200, "good\n" * 700, "GOOD" * 700)


def strings() -> list[str]:
    """Return all of them, none twice."""
    return list(dict.fromkeys(("", *_PLAIN.split(), *_PHRASES, *_shaped())))

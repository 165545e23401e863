"""Words of the glossary where a page uses them: the first use in each section is a link to what the word means."""

import re
from collections.abc import Iterator, Mapping

Glossary = Mapping[str, tuple[str, str, str]]  # anchor -> word, its forms parted by commas, meaning (words.j2)

SECTION = re.compile(r"<section>.*?</section>", re.DOTALL)
TAG = re.compile(r"(<[^>]+>)")  # templates escape what comes from data, so no text holds one
# Within these a link would be one too many, or no word of the page.
CLOSED = ("a", "button", "dl", "h2", "h3", "pre", "summary", "svg", "tbody", "thead")


def link(html: str, glossary: Glossary, page: str = "") -> str:
    """Link words in the sections of a page; `page` is the one that has the glossary, empty for the same."""
    forms = {form: anchor for anchor, (_, texts, _) in glossary.items() for form in texts.casefold().split(", ")}
    longest_first = "|".join(map(re.escape, sorted(forms, key=len, reverse=True)))
    word = re.compile(rf"\b(?:{longest_first})\b", re.IGNORECASE)
    return SECTION.sub(lambda section: "".join(_linked(section[0], word, forms, page)), html)


def _linked(section: str, word: re.Pattern[str], forms: Mapping[str, str], page: str) -> Iterator[str]:
    unused, closed = set(forms.values()), 0

    def once(match: re.Match[str]) -> str:
        anchor = forms[match[0].casefold()]
        if anchor not in unused:
            return match[0]
        unused.remove(anchor)
        return f'<a class="word" href="{page}#word-{anchor}">{match[0]}</a>'

    for part in TAG.split(section):
        if part.startswith("<"):
            closed += _closing(part)
        yield part if closed or part.startswith("<") else word.sub(once, part)


def _closing(tag: str) -> int:
    """1 where a tag opens what takes no link, -1 where it ends that."""
    name = re.split(r"[\s>]", tag.strip("</"), maxsplit=1)[0]
    return 0 if name not in CLOSED else -1 if tag.startswith("</") else 1

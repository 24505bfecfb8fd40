"""Who reads a page: a person, or a program that says what it is."""

import re

# What mail gateways, link checkers and scripts call themselves; databases can search for it too.
NAMES = (
    "bot|crawl|spider|scan|preview|proxy|prefetch|monitor|check|fetch|curl|wget|python|java/"
    "|go-http|okhttp|libwww|headless|safelinks|mimecast|proofpoint|barracuda|symantec|facebookext"
)
# Further words of crawlers, feed readers, archives and test tools; browsers give no address.
_MORE = (
    r"|https?:/|@|\[email\]|archiv|slurp|heritrix|feed|agent|validat|analy[sz]|http[_ ]?client"
    r"|lighthouse|pingdom|uptime|synthetic|screenshot|playwright|puppeteer|phantomjs|selenium"
    r"|google|indy library|siteexplorer|embed|dareboost|ptst|gtmetrix"
)
_WORDS = re.compile(NAMES + _MORE, re.IGNORECASE)
_BROWSER = re.compile(r"(?:Mozilla/[45]\.0 \(|Opera/|Dalvik/)")
# "Mozilla/5.0 (compatible; …" is how crawlers begin, and old versions of one browser.
_COMPATIBLE = re.compile(r"compatible(?!; MSIE)")


def is_machine(agent: str) -> bool:
    """Does this look like a program rather than a person's browser? So does saying nothing."""
    return (
        _BROWSER.match(agent) is None
        or _WORDS.search(agent) is not None
        or _COMPATIBLE.search(agent) is not None
    )

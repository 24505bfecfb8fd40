"""How the house writes numbers, money, dates and durations, in the active language.

These are notations, not sentences: each stands here in both languages, so that a page, a mail
and an export agree to the character. Signed values carry U+2212, never a hyphen.
"""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from django.utils import timezone
from django.utils.translation import gettext as _

from bank.models import in_language

Number = int | float | Decimal
MINUS = "\N{MINUS SIGN}"
MISSING = "\N{EN DASH}"
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WAN, YI, MILLION = 10_000, 100_000_000, 1_000_000
SYMBOLS = {"CNY": "¥", "USD": "US$", "EUR": "€", "GBP": "£", "HKD": "HK$", "JPY": "JP¥"}
UNITS_ZH = {
    "CNY": "元",
    "USD": "美元",
    "EUR": "欧元",
    "GBP": "英镑",
    "HKD": "港元",
    "JPY": "日元",
}


def rounded(value: Number, digits: int) -> Decimal:
    """Round half away from zero on the shortest decimal text, as a reader would by hand."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    result = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)
    return result if result else abs(result)


def number(value: Number | None, digits: int = 0) -> str:
    """A plain number with separators of thousands: 1,234 or −5.0."""
    if value is None:
        return MISSING
    return f"{rounded(value, digits):,}".replace("-", MINUS)


def points(value: Number | None, digits: int = 1) -> str:
    """A score or difference in points, always signed: +42.3, −5.0, 0.0."""
    if value is None:
        return MISSING
    exact = rounded(value, digits)
    return f"{exact:+}".replace("-", MINUS) if exact else f"{exact}"


def share(value: Number | None, digits: int = 1) -> str:
    """A share between 0 and 1 as per cent: 86.6%."""
    if value is None:
        return MISSING
    return f"{number(_exact(value) * 100, digits)}%"


def share_change(value: Number | None, digits: int = 1) -> str:
    """The change of a share in percentage points; never with a per cent sign."""
    if value is None:
        return MISSING
    text = points(_exact(value) * 100, digits)
    return in_language(f"{text} 个百分点", f"{text} pts")


def interval(low: Number | None, high: Number | None, digits: int = 1) -> str:
    """A confidence interval in points: 95% CI +34.1 to +49.7."""
    if low is None or high is None:
        return MISSING
    return _interval(points(low, digits), points(high, digits))


def share_interval(low: Number | None, high: Number | None, digits: int = 1) -> str:
    """A confidence interval of a share: 95% CI 81.2% to 90.4%."""
    if low is None or high is None:
        return MISSING
    return _interval(share(low, digits), share(high, digits))


def number_interval(low: Number | None, high: Number | None, digits: int = 1) -> str:
    """A confidence interval of an unsigned value such as a mean."""
    if low is None or high is None:
        return MISSING
    return _interval(number(low, digits), number(high, digits))


def sample(count: int) -> str:
    """The size of a sample: n = 312."""
    return f"n = {number(count)}"


def score(value: Number | None, scale: int, digits: int = 0) -> str:
    """A rating with its scale: 9 of 0-10 as 9 分, of five as 2/5."""
    if value is None:
        return MISSING
    text = number(value, digits)
    return in_language(f"{text} 分", text) if scale == 10 else f"{text}/{scale}"


def ratio(value: Number | None) -> str:
    """A ratio: 1.38×."""
    return MISSING if value is None else f"{number(value, 2)}×"


def money(amount: Number | None, currency: str = "CNY") -> str:
    """An amount in currency units: 18.50 亿元, 620 万元; ¥1,850m in English."""
    if amount is None:
        return MISSING
    exact = _exact(amount)
    return in_language(_money_zh(exact, currency), _money_en(exact, currency))


def day(value: date | None) -> str:
    """A date in a table: 2026-11-18; an instant counts by the active zone."""
    return MISSING if value is None else _local(value).strftime("%Y-%m-%d")


def moment(value: datetime | None) -> str:
    """An instant in the active zone: 2026-11-18 14:30."""
    return MISSING if value is None else _local(value).strftime("%Y-%m-%d %H:%M")


def day_in_text(value: date | None) -> str:
    """A date in a sentence: 11 月 18 日, 18 Nov 2026."""
    if value is None:
        return MISSING
    on = _local(value)
    return in_language(f"{on.month} 月 {on.day} 日", f"{on.day} {MONTHS[on.month - 1]} {on.year}")


def duration(value: timedelta | None) -> str:
    """A span: 4 h 06 m, and from a day on 2 d 3 h. The part not shown is cut off."""
    if value is None:
        return MISSING
    minutes = int(abs(value).total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    days, rest = divmod(hours, 24)
    if days:
        return in_language(f"{days} 天 {rest} 小时", f"{days} d {rest} h")
    if hours:
        return in_language(f"{hours} 小时 {minutes:02} 分", f"{hours} h {minutes:02} m")
    return in_language(f"{minutes} 分", f"{minutes} m")


def overdue(value: timedelta) -> str:
    """How long a deadline is past: 超时 19 小时, 19 h overdue."""
    hours = int(value.total_seconds()) // 3600
    text = duration(value)
    if 1 <= hours < 24:
        text = in_language(f"{hours} 小时", f"{hours} h")
    return in_language(f"超时 {text}", f"{text} overdue")


def masked(text: str) -> str:
    """A phone or identity number with its middle hidden: 186••••2047."""
    if len(text) < 8:
        return "••••"
    return f"{text[:3]}••••{text[-4:]}"


def missing() -> str:
    """The mark of a value that is not there."""
    return MISSING


def missing_words() -> str:
    """What a screen reader says for the mark of a missing value."""
    return _("no data")


def _exact(value: Number) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _interval(low: str, high: str) -> str:
    return in_language(f"95% CI {low} 至 {high}", f"95% CI {low} to {high}")


def _local(value: date) -> date:
    """Bring an instant into the active zone; a plain date has none."""
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value


def _money_zh(amount: Decimal, currency: str) -> str:
    """Choose the unit by the rounded amount, so that no 10,000 万 appears."""
    unit = UNITS_ZH.get(currency, f" {currency}")
    if abs(rounded(amount / WAN, 2)) >= WAN:
        return f"{number(amount / YI, 2)} 亿{unit}"
    if abs(amount) >= WAN:
        return f"{_trimmed(amount / WAN)} 万{unit}"
    return f"{_trimmed(amount)} {unit.strip()}"


def _money_en(amount: Decimal, currency: str) -> str:
    """Millions from one million on; the sign stands before the symbol."""
    symbol = SYMBOLS.get(currency, f"{currency} ")
    size = abs(amount)
    sign = MINUS if amount < 0 and rounded(size, 2) else ""
    if size >= MILLION:
        return f"{sign}{symbol}{_trimmed(size / MILLION)}m"
    return f"{sign}{symbol}{_trimmed(size)}"


def _trimmed(value: Decimal) -> str:
    """At most two decimals, without idle zeros."""
    text = number(value, 2)
    return text.rstrip("0").rstrip(".")

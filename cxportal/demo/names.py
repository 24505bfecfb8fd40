"""Invented names only. No place, company or person here exists."""

from random import Random

PLACES = [
    "云汀",
    "栖川",
    "白榆港",
    "岚汐",
    "澜洲",
    "苍屿",
    "映川",
    "砚溪",
    "霁州",
    "禾渚",
    "汀兰",
    "松岫",
]
_FIRST = {
    "澜": "lan", "栖": "qi", "砚": "yan", "霁": "ji", "岫": "xiu", "渚": "zhu", "汐": "xi",
    "榆": "yu", "衡": "heng", "珩": "heng", "湉": "tian", "峤": "qiao", "昀": "yun",
    "沅": "yuan", "芷": "zhi", "翊": "yi",
}  # fmt: skip
_SECOND = {
    "屿": "yu", "桁": "heng", "朔": "shuo", "澄": "cheng", "溟": "ming", "峦": "luan",
    "泓": "hong", "恪": "ke", "岑": "cen", "穹": "qiong", "烁": "shuo", "漪": "yi",
    "钧": "jun", "旻": "min", "彧": "yu", "舸": "ge",
}  # fmt: skip
TRADES = {
    "A": [("农业", "Agriculture"), ("林业", "Forestry"), ("渔业", "Fisheries")],
    "B": [("矿业", "Mining"), ("石材", "Stone"), ("砂石", "Aggregates")],
    "C": [("精密制造", "Precision"), ("新材料", "Materials"), ("装备", "Equipment")],
    "D": [("新能源", "New Energy"), ("热力", "Heat Supply"), ("水务", "Water")],
    "E": [("建设", "Construction"), ("路桥", "Roads and Bridges"), ("安装", "Installation")],
    "F": [("商贸", "Trading"), ("供应链", "Supply Chain"), ("物产", "Commodities")],
    "G": [("物流", "Logistics"), ("港务", "Port Services"), ("航运", "Shipping")],
    "H": [("酒店", "Hotels"), ("餐饮", "Catering"), ("文旅", "Resorts")],
    "I": [("软件", "Software"), ("数据", "Data Services"), ("信息", "Information")],
    "K": [("物业", "Property Services"), ("园区", "Business Parks"), ("置地", "Estates")],
    "L": [("租赁", "Leasing"), ("会展", "Exhibitions"), ("人力", "Staffing")],
    "M": [("检测", "Testing"), ("设计", "Engineering Design"), ("研发", "Research")],
    "N": [("环境", "Environment"), ("水利", "Hydraulics"), ("生态", "Ecology")],
    "Q": [("医疗", "Medical Care"), ("康养", "Elderly Care"), ("诊断", "Diagnostics")],
    "R": [("文化", "Culture"), ("传媒", "Media"), ("体育", "Sports")],
}
PROJECTS = [
    ("海上风电", "Offshore Wind", "wind_power"),
    ("光伏电站", "Solar Power", "solar_power"),
    ("抽水蓄能", "Pumped Storage", "hydro_storage"),
    ("港口码头", "Port Terminal", "port_waterway"),
    ("垃圾发电", "Waste to Energy", "eco_environment"),
    ("高速公路", "Expressway", "highway"),
    ("物流园", "Logistics Park", "logistics_infra"),
    ("污水处理", "Sewage Treatment", "municipal_utilities"),
]
_FAMILY = {
    "程": "cheng", "林": "lin", "陆": "lu", "沈": "shen", "顾": "gu", "温": "wen",
    "俞": "yu", "乔": "qiao", "谈": "tan", "岑": "cen", "纪": "ji", "晏": "yan",
}  # fmt: skip
_GIVEN = {
    "述": "shu", "安": "an", "知": "zhi", "微": "wei", "予": "yu", "明": "ming", "怀": "huai",
    "谨": "jin", "见": "jian", "素": "su", "既": "ji", "景": "jing", "兰": "lan", "可": "ke",
    "清": "qing", "远": "yuan", "思": "si", "齐": "qi", "若": "ruo", "川": "chuan",
    "文": "wen", "舒": "shu", "一": "yi", "宁": "ning",
}  # fmt: skip


def stem(dice: Random) -> tuple[str, str]:
    """Two characters of a company's name, and their pinyin."""
    first, second = dice.choice(sorted(_FIRST)), dice.choice(sorted(_SECOND))
    return first + second, _FIRST[first] + _SECOND[second]


def person(dice: Random) -> tuple[str, str]:
    """A name in Chinese, and in pinyin as `given.family`."""
    family = dice.choice(sorted(_FAMILY))
    given = dice.sample(sorted(_GIVEN), 2)
    return family + "".join(given), f"{''.join(_GIVEN[c] for c in given)}.{_FAMILY[family]}"


def english(pinyin: str) -> str:
    """`given.family` as it is written in English, family name last."""
    given, family = pinyin.split(".")
    return f"{given.capitalize()} {family.capitalize()}"


def credit_code(dice: Random, province: str) -> str:
    """A unified social credit code of a county that does not exist: valid, never issued."""
    body = "".join(dice.choice("0123456789") for _place in range(8))
    organisation = body + _organisation_check(body)
    head = f"91{province}9999{organisation}"
    return head + _credit_check(head)


def _organisation_check(body: str) -> str:
    weights = (3, 7, 9, 10, 5, 8, 4, 2)
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True)) % 11
    return {10: "X", 11: "0"}.get(rest, str(rest))


def _credit_check(head: str) -> str:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(sign) * pow(3, place, 31) for place, sign in enumerate(head))
    return alphabet[(31 - total % 31) % 31]


def numeral(number: int) -> str:
    """A number of at most three digits in Chinese, as in 第二."""
    digits = "零一二三四五六七八九"
    if number < 10:
        return digits[number]
    return "".join(digits[int(digit)] for digit in str(number))

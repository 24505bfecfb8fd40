"""Columns that several kinds of file have in common."""

from django.utils.translation import gettext_lazy as _

from clients.imports import cells
from clients.imports.cells import Column, Reader

CLIENT = Column(
    "client_code",
    "客户编号",
    "Client code",
    cells.lookup("clients", _("a client code")),
    "client_id",
    table="clients",
    needed=True,
)
CONTACT = Column(
    "contact_external_id",
    "联系人编号",
    "Contact number",
    cells.lookup("contacts", _("a contact number")),
)
PRODUCT = Column(
    "product_code",
    "产品代码",
    "Product code",
    cells.lookup("products", _("a product code")),
    "product_id",
    table="products",
)
CURRENCY = Column("currency", "币种", "Currency", cells.currency, "currency", clearable=False)


def case(*, needed: bool = False) -> Column:
    """The case a row belongs to."""
    return Column(
        "case_number",
        "业务编号",
        "Case number",
        cells.lookup("case_ids", _("a case number")),
        "case_id",
        table="case_ids",
        needed=needed,
    )


def money(name: str, zh: str, en: str, read: Reader = cells.signed) -> tuple[Column, Column]:
    """An amount in units of its currency, and the same amount in units of ten thousand."""
    wan = Column(
        f"{name}_wan",
        f"{zh}（万元）",
        f"{en} (10,000)",
        cells.signed_in_wan,
        name,
        doubt=cells.finer_in_wan,
    )
    return Column(name, zh, en, read, name, doubt=cells.finer), wan

"""By which names payloads of providers and license servers hold personal values. A table, for whoever completes it."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

Kind = Literal["email", "name", "text", "here", "number", "free"]
"""`email` and `name` keep being equal to others; `text` is only blanked, and `here` nowhere else; `number` is a text
where it is no amount; `free` may name the person in between."""

_EMAIL = ("email", "emailaddress", "mail", "emails")
_NAME = (
    *("firstname", "lastname", "givenname", "familyname", "middlename", "fullname", "surname", "nameoncard"),
    *("customername", "cardholder", "cardholdername", "accountholder", "accountholdername", "buyername", "holdername"),
    *("organizationname", "organisationname", "companyname", "customercompany", "customerbusinessname"),
    *("individualname", "businessname", "username", "contactperson", "contactname", "payername"),
)
_NAME_OF_PERSON = (
    *("name", "first", "last", "company", "organization", "organisation", "salutation", "title", "display"),
    "names",
)
"""Of a product these are something else: personal only in an object that is about somebody."""
_TEXT = (
    *("phone", "phonenumber", "mobile", "mobilephone", "mobilephonenumber", "customerphone", "telephone", "fax"),
    *("ip", "ipaddress", "clientip", "customerip", "internetprotocoladdress", "purchaseip", "useragent"),
    *("addressline1", "addressline2", "line1", "line2", "street", "streetaddress", "postalcode", "postcode", "zip"),
    *("city", "town", "dependentlocality", "sortingcode", "region", "regioncode", "regiondisplay", "postalstate"),
    *("last4", "dynamiclast4", "cardending", "cardnumber", "maskedcardnumber", "pseudocardnumber", "fingerprint"),
    *("iban", "bban", "bic", "accountnumber", "routingnumber", "creditcardholder", "carddatalastdigits"),
    *("taxid", "vatid", "vatnumber", "taxnumber", "dateofbirth", "birthdate", "dob", "gender", "nationality"),
    *("birthday", "birth", "phones", "payerid"),
    *("socialsecuritynumber", "salestaxnumber", "commercialregisternumber", "deviceid", "devicesessionidentifier"),
    *("receipturl", "hostedinvoiceurl", "invoicepdf", "invoiceurl", "hostedregulatoryreceipturl"),
    *("accountmanagementurl", "viewurl", "invoicenumberurl", "paymentmethodbrandurl", "receiptnumber"),
)
_FREE = (
    *("description", "text", "note", "notes", "memo", "comment", "comments", "message", "label", "subject"),
    *("summary", "statementdescriptor", "footer", "about", "why", "error", "customfields"),
    *("reason", "rule"),  # what operators write of their acts, and what fields of a license say of it
)

KINDS: dict[str, Kind] = {
    **dict.fromkeys(_EMAIL, "email"),
    **dict.fromkeys(_NAME, "name"),
    **dict.fromkeys(_TEXT, "text"),
    **dict.fromkeys(_FREE, "free"),
    "vat": "number",
}
WITHIN_PERSON: dict[str, Kind] = dict.fromkeys(_NAME_OF_PERSON, "name")

WITHIN_ADDRESS: dict[str, Kind] = {"state": "text", "province": "text", "county": "text"}
"""Of anything else this is how it stands: personal only next to the rest of an address."""
OF_ADDRESS = frozenset(
    {"street", "streetaddress", "line1", "addressline1", "city", "town", "zip", "zipcode", "postalcode", "postcode"}
)

_VALUE: dict[str, Kind] = {"value": "text", "defaultvalue": "text"}
_CHOSEN: dict[str, Kind] = {"value": "here", "defaultvalue": "here"}
_BIRTH: dict[str, Kind] = {"day": "here", "month": "here", "year": "here"}
_NAMES: dict[str, Kind] = dict.fromkeys(("first", "last", "given", "family", "middle", "full", "display"), "name")
_PARTS: dict[tuple[str, ...], dict[str, Kind]] = {
    ("taxids",): _VALUE,
    ("taxids", "data"): _VALUE,
    ("customertaxids",): _VALUE,
    ("customfields", "text"): _VALUE,
    ("customfields", "numeric"): _VALUE,
    ("customfields", "dropdown"): _CHOSEN,
    ("name",): _NAMES,
    ("names",): _NAMES,
    ("fullname",): _NAMES,
    ("dob",): _BIRTH,
    ("dateofbirth",): _BIRTH,
    ("birthdate",): _BIRTH,
    ("birthday",): _BIRTH,
    ("birth",): _BIRTH,
}
"""By the names of the objects around it: `value` of a tax id is personal, of a coupon it is not."""

PERSONS = frozenset(
    {
        *("contact", "customer", "customerdetails", "billingdetails", "shipping", "shippingdetails", "buyer", "payer"),
        *("subscriber", "recipient", "recipients", "billingaddress", "shippingaddress", "customerfields", "owner"),
        *("individual", "account", "licensee", "user", "users", "manager", "managers", "lookup", "customershipping"),
    }
)
"""Names of objects that are about somebody."""

OTHERS = frozenset({"recipient", "recipients", "user", "users", "licenseusers", "manager", "managers", "giftrecipient"})
"""Names under which events of one customer name other people, each with an address of their own."""

REFERENCES = frozenset({"customer", "customerid", "customeraccount", "account", "accountid", "subscriber"})
"""Names under which an object says whose it is, besides its own `id`."""

KEPT_OF_ADDRESS = frozenset({"country", "countrycode", "countryiso"})
"""Taxes and little else follow from it, and millions share it."""


@lru_cache(maxsize=4096)
def plain(key: str) -> str:
    """A key as the tables have it: `customer_email`, `customerEmail` and `customer-email` are one."""
    return "".join(character for character in key if character.isalnum()).lower()


@lru_cache(maxsize=4096)
def kind_of_key(key: str) -> Kind | None:
    """What a key holds whatever object it is in."""
    found = KINDS.get(key)
    if found is not None:
        return found
    if key.endswith(("email", "emailaddress")):
        return "email"
    return "text" if key.endswith(("phone", "phonenumber", "ipaddress")) else None


def kind_of_part(key: str, path: Sequence[str]) -> Kind | None:
    """What a key holds in the object at such a path."""
    around = tuple(plain(name) for name in path if not name.isdigit())
    for depth in (1, 2):
        found = _PARTS.get(around[-depth:], {}).get(key)
        if found is not None:
            return found
    return None


@lru_cache(maxsize=4096)
def is_address(key: str) -> bool:
    """Whether what stands under the key is a postal address."""
    return key == "address" or (key.endswith("address") and kind_of_key(key) is None)

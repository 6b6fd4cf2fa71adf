"""Which key the provider's license generator gave for a license. Pure."""

from collections.abc import Sequence

from domain.licensing import License
from domain.receipts import Applied


def generated_key(desired: License, applied: Applied) -> str:
    """The key that belongs to the license's unit; empty when none was generated for it (yet)."""
    keys = generated_keys(desired, applied)
    return keys[desired.unit - 1] if desired.unit <= len(keys) else ""


def generated_keys(desired: License, applied: Applied) -> tuple[str, ...]:
    """All keys that were generated for the units of the license's product in its purchase."""
    return applied.generated.get(desired.fulfillment.partition("/")[2], ()) if desired.fulfillment else ()


def problems(desired: Sequence[License], applied: Applied) -> list[str]:
    """What a person should know: keys that the customer was shown and that no license has, by product.

    It happens when the generator is called after licenses were made with other keys. A license keeps its key.
    """
    held = {each.key for each in applied.licenses.values()}
    lost: dict[str, int] = {}
    for each in desired:
        one, key = applied.license(each.id), generated_key(each, applied)
        if one.key and key and key not in held:
            lost[each.product_code] = lost.get(each.product_code, 0) + 1
    return [
        f"the license generator gave {count} {'key' if count == 1 else 'keys'} of {product} after other keys were "
        "chosen: tell the customer those of the licenses"
        for product, count in sorted(lost.items())
    ]

"""Every operation of the AWS interface, by service and name. A family is one line here."""

from importlib import import_module

from modelward.interfaces.aws.operations import Family, Operation

# Each is a module of this folder with a ``family``; loaded when the first AWS request comes.
FAMILIES = [
    "iam",
    "model_card_exports",
    "model_cards",
    "model_package_groups",
    "model_packages",
    "models",
    "search",
    "sts",
    "tags",
    "training_jobs",
]


def all_operations() -> dict[tuple[str, str], Operation]:
    """Load all families.

    Raises:
        TypeError: an operation is declared twice.
    """
    found: dict[tuple[str, str], Operation] = {}
    for name in FAMILIES:
        family = import_module(f"modelward.interfaces.aws.{name}").family
        assert isinstance(family, Family)
        for operation in family.all:
            key = (operation.service, operation.name)
            if key in found:
                raise TypeError(f"{operation.action} is declared twice.")
            found[key] = operation
    return found

"""Every parameter of the formulas has a name for people."""

from dataclasses import asdict

from metrics import naming
from metrics.formulas.parameters import DEFAULT


def test_every_parameter_has_a_name_and_no_name_is_left_over():
    known = {f"{section}.{name}" for section, held in asdict(DEFAULT).items() for name in held}
    assert set(naming.parameters()) == known

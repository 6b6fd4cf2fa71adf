"""What each licensing model tells a program: one pure function per model, and the table that names them."""

from service.sandbox.netlicensing.models.table import JUDGES
from service.sandbox.netlicensing.models.verdict import Licensed, Verdict

__all__ = ["JUDGES", "Licensed", "Verdict"]

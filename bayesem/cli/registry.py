"""Every command, in the order of `bayesem --help`."""

from bayesem.cli.assess import ASSESS
from bayesem.cli.campaigns import CALIBRATE, DESIGN
from bayesem.cli.command import Command
from bayesem.cli.compare import COMPARE
from bayesem.cli.fit import FIT
from bayesem.cli.publications import AUDIT, REBUILD
from bayesem.cli.report import REPORT
from bayesem.cli.run import RUN
from bayesem.cli.simulate import SIMULATE
from bayesem.cli.studies import STUDIES, TEMPLATE

__all__ = ["COMMANDS"]

COMMANDS: tuple[Command, ...] = (
    STUDIES,
    RUN,
    FIT,
    ASSESS,
    AUDIT,
    REBUILD,
    SIMULATE,
    TEMPLATE,
    COMPARE,
    DESIGN,
    CALIBRATE,
    REPORT,
)

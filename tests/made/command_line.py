"""The command line, called in this process."""

from click.testing import Result
from typer.testing import CliRunner

from nova_judge.cli.main import app


def asked(*arguments: object) -> Result:
    """The outcome of a command; what is no refusal in words is raised."""
    done = CliRunner().invoke(app, [str(one) for one in arguments])
    assert not isinstance(done.exception, Exception), done.exception
    return done

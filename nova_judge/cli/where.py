"""`nova-judge where`: whose account, and which region."""

from typing import Annotated

import typer

from nova_judge.aws.place import current_place
from nova_judge.cli.arguments import AsJson
from nova_judge.cli.terminal import print_json, say


def command(
    as_json: AsJson = False,
    environment: Annotated[
        bool, typer.Option("--cdk", help="Print it as the CDK names an environment.")
    ] = False,
) -> None:
    """Print the account and region that commands work in.

    `make deploy` works there too. The region is AWS_REGION, else AWS_DEFAULT_REGION, else
    the profile's. Ends with 3 where there are no credentials.

    Examples:

      nova-judge where

      AWS_PROFILE=team-b AWS_REGION=eu-west-1 nova-judge where
    """
    here = current_place()
    if as_json:
        print_json(here._asdict())
    elif environment:
        say(f"aws://{here.account}/{here.region}")
    else:
        say(f"{here}, as {here.caller}")

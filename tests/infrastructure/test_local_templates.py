"""Local mode deploys the stacks as they are: its kept templates are the CDK's, read anew here."""

import json

from stacks import local_templates
from stacks.local_templates import KEPT


def test_the_kept_templates_are_what_the_stacks_say_now():
    """`make templates` writes them again."""
    kept = {file.stem: file.read_text("utf-8") for file in KEPT.glob("*.json")}
    now = {
        name: local_templates.as_text(template)
        for name, template in local_templates.synthesized().items()
    }
    assert list(kept) and sorted(kept) == sorted(now)
    assert [name for name in kept if kept[name] != now[name]] == []


def test_they_name_neither_an_account_nor_an_archive_of_this_machine():
    for file in KEPT.glob("*.json"):
        for resource in json.loads(file.read_text("utf-8"))["Resources"].values():
            if resource["Type"] == "AWS::Lambda::Function":
                archive = {"S3Bucket": "functions", "S3Key": "code.zip"}
                assert resource["Properties"]["Code"] == archive

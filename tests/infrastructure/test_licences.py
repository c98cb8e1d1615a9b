"""The list of licences is what is installed, and nothing of it obliges users of the project."""

import importlib.util

from nova_judge.folders import ROOT

spec = importlib.util.spec_from_file_location("licences", ROOT / "tools/licences.py")
licences = importlib.util.module_from_spec(spec)
spec.loader.exec_module(licences)


def test_the_page_is_what_the_installed_packages_say():
    assert (ROOT / "docs/licences.md").read_text("utf-8") == licences.page(), "make licences"


def test_every_package_states_a_licence_that_obliges_no_user():
    stated = {one.name: one.licence for one in licences.packages()}
    assert "boto3" in stated
    assert [n for n, text in stated.items() if text == "not stated" or "GPL" in text] == []

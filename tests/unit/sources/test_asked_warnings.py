"""Models that may be asked, of which something is to be known."""

import pytest

from nova_judge.kinds.recipes import load_recipe
from nova_judge.recipe.files import packaged_recipe
from nova_judge.sources.known_sources import asked_warnings

A = "{endpoint: qwen2.5-7b-instruct}"
BOTH = "A: {endpoint: qwen2.5-1.5b-instruct}  # the baseline\n  B: {endpoint: qwen2.5-7b-instruct} "


def alike(candidates: str, *asked: str) -> list[str]:
    text = packaged_recipe("pairwise")
    assert BOTH in text
    return list(asked_warnings(load_recipe(text.replace(BOTH, candidates), file="x.yaml"), asked))


@pytest.mark.parametrize(
    "other",
    [
        A,
        "{endpoint: qwen2.5-7b-instruct, name: ours}",
        "{endpoint: qwen2.5-7b-instruct, generation: {temperature: 0.7}}",
        "{endpoint: qwen2.5-7b-instruct, generation: {tries: 3}}",
    ],
)
def test_names_and_settings_that_change_no_answer_make_no_other_candidate(other):
    assert alike(f"A: {A}\n  B: {other}", "A", "B") == [
        "A and B are the same model, asked in the same way: comparing them tests the judge, which "
        "should find no difference, and says nothing about models"
    ]
    assert alike(f"A: {A}\n  B: {other}", "B") == []


@pytest.mark.parametrize(
    "other",
    [
        "{endpoint: qwen2.5-1.5b-instruct}",
        "{endpoint: qwen2.5-7b-instruct, system: Be brief.}",
        "{endpoint: qwen2.5-7b-instruct, generation: {temperature: 0.1}}",
        "{endpoint: qwen2.5-7b-instruct, generation: {seed: 1}}",
        "{endpoint: qwen2.5-7b-instruct, prompt: 'Briefly: {{ prompt }}'}",
    ],
)
def test_another_prompt_or_setting_is_a_comparison(other):
    assert alike(f"A: {A}\n  B: {other}", "A", "B") == []


def test_of_many_only_pairs_that_are_compared_count():
    many = f"base: {A}\n  new: {A}\n  old: {A}"
    assert len(alike(many, "base", "new", "old")) == 3
    assert len(alike(f"{many}\npairs: against base", "base", "new", "old")) == 2


COMMIT = "a09a35458c702b33eeacc393d103063234e8bc28"


@pytest.mark.parametrize(("revision", "said"), [("main", 1), ("v1.0", 1), (COMMIT, 0)])
def test_a_branch_or_tag_of_the_hub_may_move(revision, said):
    hub = f"{{weights: Qwen/Qwen2.5-7B-Instruct, revision: {revision}}}"
    found = alike(f"A: {A}\n  B: {hub}", "A", "B")
    assert len(found) == said
    assert all(f"Qwen/Qwen2.5-7B-Instruct at {revision}: a branch or tag" in it for it in found)
    assert alike(f"A: {A}\n  B: {hub}", "A") == []

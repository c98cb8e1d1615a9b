"""A key on this machine goes to the host that it is for, whatever a recipe says."""

import pytest

from nova_judge.errors import RecipeError
from nova_judge.recipe.asked_model import AskedModel
from nova_judge.sources.openai_server import keys_of


def asked(url: str, secret: str | None) -> dict[str, AskedModel]:
    return {"candidates.A": AskedModel(openai=f"{url}#m", secret=secret)}


@pytest.mark.parametrize(
    ("url", "secret", "environment"),
    [
        ("https://api.openai.com/v1", "openai", {}),
        ("https://api.groq.com/openai/v1", "groq", {"GROQ_BASE_URL": "https://api.groq.com/v2"}),
        ("https://mine.example/v1", "openai", {"OPENAI_BASE_URL": "https://mine.example/v1"}),
        ("http://localhost:11434/v1", "groq", {}),
        ("http://127.0.0.1:8000/v1", "openai", {}),
    ],
)
def test_a_key_is_sent_to_the_host_that_it_is_for(url, secret, environment):
    environment |= {f"{secret.upper()}_API_KEY": "sk"}
    assert keys_of(asked(url, secret), environment) == {secret: "sk"}


@pytest.mark.parametrize(
    ("url", "secret", "environment"),
    [
        ("https://evil.example/v1", "openai", {}),
        ("https://api.openai.com.evil.example/v1", "openai", {}),
        ("https://evil.example/api.openai.com", "openai", {}),
        ("https://api.groq.com/openai/v1", "groq", {}),
        ("https://api.openai.com/v1", "openai", {"OPENAI_BASE_URL": "https://mine.example/v1"}),
        ("https://evil.example/v1", "groq", {"GROQ_BASE_URL": "https://api.groq.com/v2"}),
    ],
)
def test_a_recipe_cannot_have_it_sent_elsewhere(url, secret, environment):
    environment |= {f"{secret.upper()}_API_KEY": "sk"}
    with pytest.raises(RecipeError, match=f"candidates.A.openai.*set {secret.upper()}_BASE_URL"):
        keys_of(asked(url, secret), environment)


def test_an_address_that_the_user_typed_may_have_it():
    environment = {"OPENAI_API_KEY": "sk"}
    models = asked("https://typed.example/v1", "openai")
    assert keys_of(models, environment, ["candidates.A"]) == {"openai": "sk"}
    models["judge.model"] = AskedModel(openai="https://evil.example/v1#m", secret="openai")
    with pytest.raises(RecipeError, match=r"judge\.model\.openai is https://evil"):
        keys_of(models, environment, ["candidates.A"])


def test_a_model_without_a_secret_needs_no_key():
    assert keys_of(asked("https://free.example/v1", None), {}) == {}

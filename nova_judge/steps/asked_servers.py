"""Asks the servers that a recipe names for their models, before anything is paid for."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from nova_judge.check import NotRead
from nova_judge.errors import GenerationFailedError, NovaJudgeError
from nova_judge.preflight.server_check import server_models
from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.openai_server import server_model
from nova_judge.sources.server_facts import ServerFacts, server_facts

KeyOf = Callable[[str, str], str]
"""The key of a server's address by its secret's name; raises NovaJudgeError."""


def asked_servers(
    recipe: Recipe, asked: tuple[str, ...], key_of: KeyOf
) -> dict[str, ServerFacts | NotRead]:
    """The servers of the candidates that are `asked`, and of judges, by `URL#MODEL`.

    A secret that the account does not give is trouble: the run could not ask either.
    """
    named = {one.model: one.secret for one in server_models(recipe, asked)}

    def facts(spec: str, secret: str | None) -> ServerFacts | NotRead:
        url, model = server_model(spec)
        try:
            key = None if secret is None else key_of(url, secret)
        except GenerationFailedError as error:
            return ServerFacts(trouble=str(error))
        except NovaJudgeError as error:
            return NotRead(str(error))
        return server_facts(url, model, key)

    with ThreadPoolExecutor() as pool:
        found = {spec: pool.submit(facts, spec, secret) for spec, secret in named.items()}
        return {spec: future.result() for spec, future in found.items()}

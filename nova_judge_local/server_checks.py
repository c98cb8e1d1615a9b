"""Requests that show before a run whether the servers it names can answer."""

from nova_judge.recipe.recipe import Recipe
from nova_judge.sources.openai_server import server_model
from nova_judge.sources.recipe_endpoints import asked_models
from nova_judge_local.emulator_settings import ChatServer, EmulatorSettings
from nova_judge_local.judges.chat_server import check_server, parse_chat_server


def check_servers(settings: EmulatorSettings, recipe: Recipe) -> list[str]:
    """One request to each server that is named, before anything else starts; words of slow ones."""
    notes: list[str | None] = []
    for where, asked in asked_models(recipe).items():
        if asked.openai is not None:
            url, model = server_model(asked.openai)
            key = settings.model_keys.get(asked.secret or "")
            server = ChatServer(url=url, model=model, api_key=key)
            is_judge = where.startswith("judge")
            notes.append(check_server(server, model, refusals_pass=not is_judge))
    candidates = settings.chat_server
    if candidates is not None and candidates.model is not None:
        notes.append(check_server(candidates, candidates.model, refusals_pass=True))
    kind, _, rest = settings.judge.partition(":")
    if kind == "openai":
        judge = parse_chat_server(rest, settings.judge_environment.get("OPENAI_API_KEY"))
        if judge.model is not None:
            notes.append(check_server(judge, judge.model))
    return [note for note in notes if note]

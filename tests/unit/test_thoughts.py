import pytest

from nova_judge.thoughts import Answered, without_thoughts


@pytest.mark.parametrize(
    ("text", "answer", "finished"),
    [
        ("plain <b>x</b> \n", "plain <b>x</b> \n", True),
        ("<think>a</think>\n\nb", "b", True),
        ("<Thinking>a</Thinking>b", "b", True),
        ("[THINK]x[/THINK]y", "y", True),
        ("◁think▷x◁/think▷y", "y", True),
        ("a thought whose tag the prompt opened</think>\nb", "b", True),
        ("<think>a<think>b</think>c</think>d", "d", True),
        ("x <think>a</think> y <think>b</think> z", "x  y  z", True),
        (
            "<|channel|>analysis<|message|>hm<|end|><|start|>assistant"
            "<|channel|>final<|message|>yes<|return|>",
            "yes",
            True,
        ),
        ("<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", "b", True),
        ("<|channel>thought\na<channel|>b", "b", True),
        ("<unused94>thought\na<unused95>b", "b", True),
        ("<|inner_prefix|>a<|inner_suffix|>b", "b", True),
        ("<antThinking>a</antThinking>b", "b", True),
        ('<think budget="4096">a</think >b', "b", True),
        ("<thinkpad>b", "<thinkpad>b", True),
        ("<|START_THINKING|>[[A>B]] at first", "", False),
        ("<think></think>", "", True),
        ("<think>and then", "", False),
        ("b <think>and then", "b", False),
    ],
)
def test_an_answer_is_what_is_left_beside_thoughts(text, answer, finished):
    assert without_thoughts(text) == Answered(answer, finished)

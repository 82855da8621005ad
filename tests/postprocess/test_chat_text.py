"""Conversations become the text that a model's own chat template makes of them."""

import json

import numpy as np
import pytest
from test_commands import fails_in_one_line

pytest.importorskip("jinja2")

CHATML = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nBe brief.<|im_end|>\n' }}"
    "{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
# With what templates use beyond plain Jinja: refusals, loop controls, marks of generation, blocks that leave no line behind.
RICH = """{{ bos_token }}
{%- if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}
{% for message in messages %}
    {% if message.content == '' %}{% continue %}{% endif %}
    {% if message.role == 'assistant' %}
{% generation %}{{ message.content | trim }}{{ eos_token }}{% endgeneration %}
    {% else %}
[{{ message.content | trim }}]{{ tools | tojson if tools }}
    {% endif %}
{% endfor %}"""
TALK = [{"role": "user", "content": "Grüße "}, {"role": "assistant", "content": " Hello."}]


@pytest.fixture
def chat(tmp_path, run):
    """Runs the command on lines of JSON; returns its outcome and the output's path."""

    def command(lines, settings, output="out.txt"):
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(settings))
        (tmp_path / "talk.jsonl").write_text("\n".join(lines))
        return run("chat-text", tmp_path, tmp_path / "talk.jsonl", "-o", tmp_path / output), tmp_path / output

    return command


def line(messages, **more):
    return json.dumps({"messages": messages, **more}, ensure_ascii=False)


def test_conversations_are_written_one_after_another(chat):
    (code, *_), output = chat([line(TALK), "", line(TALK[:1])], {"chat_template": CHATML})
    first = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nGrüße <|im_end|>\n"
    assert code == 0
    assert output.read_text() == first + "<|im_start|>assistant\n Hello.<|im_end|>\n" + first


def test_templates_find_what_transformers_gives_them(chat):
    settings = {"chat_template": [{"name": "tools", "template": "-"}, {"name": "default", "template": RICH}],
                "bos_token": {"content": "<s>"}, "eos_token": "</s>"}  # fmt: skip
    (code, *_), output = chat([line([*TALK, {"role": "user", "content": ""}], tools=[{"name": "é"}])], settings)
    assert code == 0
    assert output.read_text() == '<s>[Grüße][{"name": "é"}]\nHello.</s>'


def test_a_template_in_a_file_of_its_own_comes_first(chat, tmp_path):
    (tmp_path / "chat_template.jinja").write_text("{{ messages | length }};")
    assert chat([line(TALK)], {"chat_template": CHATML})[1].read_text() == "2;"


def test_tokens_are_those_of_the_text_without_a_template_around_it(chat, tmp_path):
    tokenizers = pytest.importorskip("tokenizers")
    model = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "b": 1, "[s]": 2}, unk_token="a"))
    model.pre_tokenizer = tokenizers.pre_tokenizers.WhitespaceSplit()
    model.post_processor = tokenizers.processors.TemplateProcessing(single="[s] $A", special_tokens=[("[s]", 2)])
    model.enable_truncation(1)
    model.save(str(tmp_path / "tokenizer.json"))
    talk = line([{"role": "user", "content": "b a"}, {"role": "user", "content": " b"}])
    _, output = chat([talk, talk], {"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}, "out.npy")
    ids = np.load(output)
    assert ids.dtype == np.int32
    assert ids.tolist() == [1, 0, 1, 1, 0, 1]


@pytest.mark.parametrize(
    ("lines", "settings", "reason"),
    [
        ([line([{"role": "system", "content": ""}])], {"chat_template": RICH}, "line 1: the chat template refuses the conversation (no system)"),
        ([line(TALK), "{"], {"chat_template": CHATML}, "line 2: no JSON"),
        (['{"text": 1}'], {"chat_template": CHATML}, 'no list "messages"'),
        ([line(TALK)], {}, "no chat template"),
        ([line(TALK)], {"chat_template": "{% if %}"}, "the chat template is no template"),
        ([line(TALK)], {"chat_template": "{{ messages.append(1) }}"}, "refuses the conversation"),
        ([""], {"chat_template": CHATML}, "no conversation in it"),
    ],
)
def test_what_cannot_be_used_is_refused(chat, lines, settings, reason):
    outcome, output = chat(lines, settings)
    fails_in_one_line(outcome, reason)
    assert not output.exists()


def test_other_outputs_are_refused(chat):
    outcome, _ = chat([line(TALK)], {"chat_template": CHATML}, "out.csv")
    fails_in_one_line(outcome, "no .txt or .npy")

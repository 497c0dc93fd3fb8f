"""Whatever is sent to REST, no reply says that the server failed.

`VISUALPOET_FUZZ=20000 pytest tests/serve/fuzz_test.py` looks for longer.
"""

import json
import os
import string
import urllib.parse

import hypothesis
from hypothesis import strategies as st

from tests.serve import asking
from tests.serve import conformance
from tests.serve.composing import SEA
from tests.serve.conformance import PREDICT

EXAMPLES = int(os.environ.get("VISUALPOET_FUZZ", 60))
ANSWERS = {200, 400, 404, 405, 408, 413, 429, 503, 504}
SIGNATURES = ("compose", "continue_poem", "embed_image", "serving_default")
SEA_64 = asking.b64(SEA)

texts = st.text(max_size=20) | st.text(string.printable, max_size=200)
numbers = st.integers() | st.floats() | st.integers(-3, 20)
scalars = st.none() | st.booleans() | numbers | texts
pictures = st.just(SEA_64) | st.binary(max_size=50).map(asking.b64)
values = st.recursive(
    scalars | pictures,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(texts | st.just("b64"), inner, max_size=3)
    ),
    max_leaves=10,
)
names = st.sampled_from(sorted(conformance.COMPOSE)) | texts
rows = st.dictionaries(names, values, max_size=3).map(
    lambda changed: {**conformance.COMPOSE, **changed}
)
documents = st.fixed_dictionaries(
    {},
    optional={
        "signature_name": st.sampled_from(SIGNATURES) | values,
        "instances": st.lists(rows, max_size=2) | values,
        "inputs": rows.map(lambda row: {k: [v] for k, v in row.items()})
        | values,
    },
)
paths = st.just(PREDICT) | texts.map(
    lambda text: "/v1/" + urllib.parse.quote(text)
)


def look(test):
    settings = hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize="VISUALPOET_FUZZ" not in os.environ,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    return settings(test)


def check(answered):
    status, answer = answered
    assert status in ANSWERS, answer
    assert status == 200 or list(answer) == ["error"]


@look
@hypothesis.given(document=documents | values, path=paths)
def test_json(server, document, path):
    check(asking.ask_json(server.rest + path, json.dumps(document).encode()))


@look
@hypothesis.given(row=rows, place=st.integers(0), noise=st.binary(max_size=5))
def test_json_with_noise_in_it(server, row, place, noise):
    body = {"signature_name": "compose", "instances": [row]}
    content = json.dumps(body).encode()
    place %= len(content)
    check(
        asking.ask_json(
            server.rest + PREDICT, content[:place] + noise + content[place:]
        )
    )


@look
@hypothesis.given(
    fields=st.dictionaries(
        st.sampled_from(("seed", "lines", "top_p", "ban", "opening")) | texts,
        scalars.map(str),
        max_size=3,
    ),
    photograph=st.just(SEA) | st.binary(max_size=50) | st.none(),
)
def test_forms(server, fields, photograph):
    fields = {
        urllib.parse.quote(name): value.encode("utf-8", "replace").decode()
        for name, value in fields.items()
        if name not in ("address", "photograph", "headers")
    }
    status, _, content = asking.post_form(
        f"{server.rest}/v1/poems", photograph, **fields
    )
    check((status, json.loads(content)))


@look
@hypothesis.given(
    given=st.dictionaries(
        st.sampled_from(("token", "poem", "seed", "lines")) | texts,
        values,
        max_size=4,
    )
)
def test_lines(server, given):
    check(asking.ask_json(f"{server.rest}/v1/lines", given))

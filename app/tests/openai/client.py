"""OpenAI's own client for Python, against Anteroom. Each function is a test; the one that is named runs, and fails by an exception."""

import asyncio
import json
import os
import sys
import threading
import time
import urllib.request

import openai

BASE = os.environ["BASE_URL"]
ROOT = BASE.removesuffix("/v1")
CONTROL = os.environ["CONTROL_URL"]
MODEL = "loopback@openai"


def client(**options):
    return openai.OpenAI(**{"base_url": BASE, "api_key": "unused", **options})


def control(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(CONTROL + path, data=data, method="GET" if body is None else "POST")
    request.add_header("content-type", "application/json")
    with urllib.request.urlopen(request) as response:
        text = response.read()
    return json.loads(text) if text else None


def record(question):
    return [request for request in control("/record")["requests"] if request["question"] == question]


def until(what, condition):
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"waited in vain for: {what}")


def said(text):
    return [{"role": "user", "content": text}]


def fails(kind, options=None, **request):
    """The error, which is of exactly this kind and has a sentence for whoever reads it."""
    try:
        client(**{"max_retries": 0, **(options or {})}).chat.completions.create(**request)
    except kind as error:
        assert type(error) is kind, error
        if isinstance(error, openai.APIStatusError):
            sentence = error.body["message"]
            assert sentence in error.message and len(sentence) > 20, error
        return error
    raise AssertionError(f"no {kind.__name__}")


def in_thread(work):
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def occupied():
    """The only slot is taken, until the model is let go on."""
    control("", {"hold": True})
    first = in_thread(lambda: client().chat.completions.create(model=MODEL, messages=said("First")))
    until("the first", lambda: record("First"))
    return first


def places():
    with urllib.request.urlopen(ROOT + "/api/v1/queue") as response:
        return json.loads(response.read())["places"]


def whole():
    answer = client().chat.completions.create(model=MODEL, messages=said("Hello [[tokens=3]]"))
    assert answer.choices[0].message.content == "Answer to: Hello\n\nword1 word2 ", answer
    assert answer.model == MODEL and answer.usage.completion_tokens == 3, answer
    assert answer._request_id.startswith("req_")


def streamed():
    options = {"include_usage": True}
    stream = client().chat.completions.create(
        model=MODEL, messages=said("Hello [[tokens=3]]"), stream=True, stream_options=options
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Answer to: Hello\n\nword1 word2 ", text
    assert chunks[-1].usage.completion_tokens == 3


def waits_in_a_stream():
    """It is told where it stands while it waits, in lines that its client has to skip."""
    first = occupied()
    raw = client().chat.completions.with_raw_response.create(model=MODEL, messages=said("Second"), stream=True)
    assert raw.headers["x-anteroom-position"] == "1", raw.headers
    threading.Timer(2.5, lambda: control("", {"hold": False})).start()
    text = "".join(chunk.choices[0].delta.content or "" for chunk in raw.parse())
    assert text.startswith("Answer to: Second"), text
    first.join()


def tools():
    tool = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
    request = {"model": MODEL, "messages": said("[[reply=tool]] rain?"), "tools": [tool]}
    call = client().chat.completions.create(**request).choices[0].message.tool_calls[0]
    assert call.function.name == "look_up" and json.loads(call.function.arguments) == {"question": "rain?"}
    with client().chat.completions.stream(**request) as stream:
        stream.until_done()
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    assert call.function.name == "look_up" and json.loads(call.function.arguments) == {"question": "rain?"}


def embeddings():
    answer = client().embeddings.create(model="text-embedding-x@openai", input=["one", "three"])
    assert [vector.embedding for vector in answer.data] == [[3.0, 0.0], [5.0, 1.0]], answer


def models():
    assert MODEL in [model.id for model in client().models.list()]
    assert client().models.retrieve("loopback").id == MODEL


def responses():
    answer = client().responses.create(model=MODEL, instructions="Be kind.", input="Hello [[tokens=2]]")
    assert answer.output_text == "Answer to: Hello\n\nword1 " and answer.status == "completed", answer
    with client().responses.stream(model=MODEL, input="Hello [[tokens=2]]") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        answer = stream.get_final_response()
    assert text == answer.output_text == "Answer to: Hello\n\nword1 ", text


def responses_call_tools():
    tool = {"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {}}}
    request = {"model": MODEL, "tools": [tool], "input": said("[[reply=tool]] rain?")}
    answer = client().responses.create(**request)
    call = answer.output[-1]
    assert call.type == "function_call" and call.name == "look_up", answer
    assert json.loads(call.arguments) == {"question": "rain?"} and answer.status == "completed", answer
    with client().responses.stream(**request) as stream:
        events = list(stream)
        streamed = stream.get_final_response().output[-1]
    pieces = [event.delta for event in events if event.type == "response.function_call_arguments.delta"]
    assert "".join(pieces) == streamed.arguments == call.arguments and len(pieces) > 1, events
    assert streamed.name == "look_up", streamed
    # What came of it goes back with the call.
    outcome = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    history = [*request["input"], *answer.output, outcome, *said("[[reply=request]]")]
    told = client().responses.create(**{**request, "input": history})
    messages = json.loads(told.output_text)["messages"]
    assert messages[1]["tool_calls"][0]["id"] == call.call_id, messages
    assert messages[2] == {"role": "tool", "tool_call_id": call.call_id, "content": "rain"}, messages


def errors():
    assert fails(openai.NotFoundError, model="none", messages=said("x")).code == "model_not_found"
    assert fails(openai.BadRequestError, model=MODEL, messages=[]).param == "messages"
    assert "Told to refuse" in fails(openai.BadRequestError, model=MODEL, messages=said("[[fault=status:400]]")).message
    assert fails(openai.InternalServerError, model=MODEL, messages=said("[[fault=status:401]]")).status_code == 502
    foreign = {"x-forwarded-for": "192.0.2.1"}
    assert fails(openai.AuthenticationError, model=MODEL, messages=said("x"), extra_headers=foreign).status_code == 401
    keyed = {"idempotency-key": "one"}
    client().chat.completions.create(model=MODEL, messages=said("x"), extra_headers=keyed)
    assert fails(openai.UnprocessableEntityError, model=MODEL, messages=said("y"), extra_headers=keyed)
    stream = client().chat.completions.create(model=MODEL, messages=said("[[fault=close:2]]"), stream=True)
    try:
        pieces = 0
        for _ in stream:
            pieces += 1
        raise AssertionError("no error within the stream")
    except openai.APIError as error:
        assert pieces == 2 and "broke off" in error.message, error


def full():
    """The line takes nobody more: said with when to come again, which the client obeys."""
    first = occupied()
    ask = lambda name: client().chat.completions.create(model=MODEL, messages=said(name))
    # A stream has its head as soon as it waits.
    second = client().chat.completions.create(model=MODEL, messages=said("Second"), stream=True)
    error = fails(openai.RateLimitError, model=MODEL, messages=said("Third"))
    assert 1 <= int(error.response.headers["retry-after"]) <= 120, error.response.headers
    threading.Timer(1.0, lambda: control("", {"hold": False})).start()
    assert ask("Third").choices[0].message.content.startswith("Answer to: Third")
    assert list(second)
    first.join()


def times_out_and_keeps_its_place():
    """A client that has waited for too long asks again by itself, and is the same request."""
    control("", {"hold": True})
    tries = []

    def asks(request):
        """The third try waits for the model, which goes on meanwhile: an answer that comes just as its client gives up is nobody's."""
        tries.append(request.headers["x-stainless-retry-count"])
        if len(tries) == 3:
            request.extensions["timeout"] = dict.fromkeys(["connect", "read", "write", "pool"], 60.0)
            threading.Timer(0.5, lambda: control("", {"hold": False})).start()

    http = openai.DefaultHttpxClient(event_hooks={"request": [asks]})
    impatient = client(timeout=1.0, max_retries=5, http_client=http)
    answer = impatient.chat.completions.create(model=MODEL, messages=said("Patient"))
    assert answer.choices[0].message.content.startswith("Answer to: Patient")
    assert tries == ["0", "1", "2"], tries
    assert len(record("Patient")) == 1, record("Patient")


def keys():
    """What a key may not do, and one that nobody has made."""
    limited = {"api_key": os.environ["LIMITED_KEY"]}
    refused = fails(openai.PermissionDeniedError, limited, model=MODEL, messages=said("x"))
    assert refused.status_code == 403 and refused.type == "permission_error", refused.body
    assert "chat" in refused.message and "anteroom key add" in refused.message, refused
    unknown = fails(openai.AuthenticationError, model=MODEL, messages=said("x"))
    assert unknown.code == "invalid_api_key" and "anteroom_" in unknown.message, unknown
    try:
        client(**limited).models.list()
        raise AssertionError("it may not list models")
    except openai.PermissionDeniedError as error:
        assert "chat" in error.message, error
    assert not control("/record")["requests"]


def too_large():
    """By Anteroom's own measure, and by the model server's. The client has no kind of its own for it."""
    huge = fails(openai.APIStatusError, model=MODEL, messages=said("x" * (33 * 1024 * 1024)))
    assert huge.status_code == 413 and "32 MB" in huge.message, huge
    refused = fails(openai.APIStatusError, model=MODEL, messages=said("[[fault=status:413]]"))
    assert refused.status_code == 413 and "Told to refuse" in refused.message, refused


def ended_by_its_owner():
    """It is another program of the same key that ends it, and the client does not ask again."""
    first = occupied()
    seen = []
    request = {"model": MODEL, "messages": said("Second")}
    second = in_thread(lambda: seen.append(fails(openai.ConflictError, {"max_retries": 3}, **request)))
    until("the second in line", places)
    ended = urllib.request.Request(f"{ROOT}/api/v1/chat/{places()[0]['id']}", method="DELETE")
    urllib.request.urlopen(ended).close()
    second.join()
    assert seen[0].status_code == 409 and seen[0].code == "cancelled", seen
    assert "ended by its owner" in seen[0].message, seen
    control("", {"hold": False})
    first.join()
    assert not record("Second")


def waits_too_long():
    first = occupied()
    request = {"model": MODEL, "messages": said("Second")}
    late = fails(openai.InternalServerError, **request)
    assert late.status_code == 503 and late.code == "queue_wait_exceeded", late.body
    assert int(late.response.headers["retry-after"]) >= 1, late.response.headers
    stream = client(max_retries=0).chat.completions.create(**request, stream=True)
    try:
        list(stream)
        raise AssertionError("no error within the stream")
    except openai.APIError as error:
        assert error.code == "queue_wait_exceeded" and error.message == late.body["message"], error
    control("", {"hold": False})
    first.join()


def is_answered_too_long():
    """The same would take as long again, so the client is told not to try."""
    late = fails(openai.InternalServerError, {"max_retries": 3}, model=MODEL, messages=said("[[hold=true]] Long"))
    assert late.status_code == 504 and late.code == "timeout", late.body
    assert len(record("Long")) == 1, record("Long")
    stream = client().chat.completions.create(model=MODEL, messages=said("Long [[hold=true after=2]]"), stream=True)
    try:
        pieces = 0
        for _ in stream:
            pieces += 1
        raise AssertionError("no error within the stream")
    except openai.APIError as error:
        assert pieces == 2 and error.code == "timeout" and error.message == late.body["message"], error


def servers_faults():
    """What the model server cannot do now: said with when to come again."""
    busy = fails(openai.InternalServerError, model=MODEL, messages=said("[[fault=status:503]]"))
    assert busy.status_code == 503 and int(busy.response.headers["retry-after"]) >= 1, busy.response.headers
    assert "too much to do" in busy.message, busy


def tries_again():
    """The client does by itself what a refusal says, and the model is asked once for each try."""
    asked = {"model": MODEL, "messages": said("[[fault=status:503 times=1]] Again")}
    raw = client(max_retries=4).chat.completions.with_raw_response.create(**asked)
    assert raw.retries_taken > 0, raw.retries_taken
    assert raw.parse().choices[0].message.content.startswith("Answer to: Again"), raw.text
    assert len(record("Again")) == 2, record("Again")


def times_out():
    """It may ask again, so its request goes on, and is asked of the model once."""
    control("", {"hold": True})
    late = fails(openai.APITimeoutError, {"timeout": 3.0}, model=MODEL, messages=said("Late"))
    assert "timed out" in late.message, late
    until("the model to be asked", lambda: record("Late"))
    control("", {"hold": False})
    until("its answer", lambda: control("/record")["now"] == 0)
    assert len(record("Late")) == 1, record("Late")


def cancels_while_it_waits():
    """A program that is ended asks no more: its place goes to those behind it."""
    first = occupied()

    async def ask():
        async with openai.AsyncOpenAI(base_url=BASE, api_key="unused") as asks:
            request = asks.chat.completions.create(model=MODEL, messages=said("Second"))
            waits = asyncio.create_task(request)
            while not await asyncio.to_thread(places):
                await asyncio.sleep(0.01)
            waits.cancel()
            await asyncio.wait([waits])
            assert waits.cancelled()

    asyncio.run(ask())
    until("its place", lambda: not places())
    control("", {"hold": False})
    first.join()
    assert not record("Second")


def cancels():
    stream = client().chat.completions.create(model=MODEL, messages=said("Long [[hold=true]]"), stream=True)
    next(iter(stream))
    assert control("/record")["now"] == 1
    stream.close()
    until("its slot", lambda: control("/record")["now"] == 0)


globals()[sys.argv[1]]()

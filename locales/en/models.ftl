# Models: choosing one, what else is chosen for a conversation, and what is told of an answer.
model = Model
model-another = Choose another model
model-and-line = { $model }: { $line }
waiting-moved = Now in the line of { $model }
trouble-again = { $how ->
    [now] It is tried again now.
   *[later] Tried again in { $time }.
}
tuning = Settings of this conversation
tuning-set = Settings of this conversation: changed
tuning-hint = What is left empty is as the site has it.
tuning-instructions = Instructions
tuning-instructions-hint = What the model is to keep to. At most { $most }.
tuning-temperature = Temperature
tuning-temperature-hint = From 0 to { $most }: the higher, the freer it writes.
tuning-longest = Longest answer
tuning-longest-hint = From 1 to { $most } tokens, which are about as many short words.
tuning-tools = The model may use tools
tuning-wrong = This cannot be kept: see what is marked.
tuning-kept = Kept with this conversation.
tuning-done = Done
thoughts = Thoughts
thoughts-now = Thinking…
thoughts-for = Thought for { $time }
turn-trimmed = { $turns ->
    [one] The oldest message, with its answer, was left out:
   *[other] The { $turns } oldest messages, with their answers, were left out:
} this conversation is longer than what the model can read at once.
turn-pictures = { $taken ->
    [0] The model was shown no picture of { $name } (it has { $of }): it is not known to see pictures.
   *[other] Pictures of { $name } that the model was shown: { $taken } of { $of }.
}
turn-excerpt = { $unit ->
    [pages] { $read } of { $of } pages of { $name } were read for this answer: those that fit the question.
    [sheets] { $read } of { $of } sheets of { $name } were read for this answer, or parts of them: those that fit the question.
    [chapters] { $read } of { $of } chapters of { $name } were read for this answer, or parts of them: those that fit the question.
   *[whole] Not all of { $name } was read for this answer, but those parts of it that fit the question.
}
turn-fallback = Answered by { $model }, because the chosen model was not in service.
turn-cached = The same was asked before: this is the answer of then.
turn-shared = The same was asked at the same time: this is the one answer to both.
turn-key = { $fault ->
    [missing] { $server } wants a key of yours. Its tools were left out.
    [unreadable] The key that you gave for { $server } cannot be read any more. Its tools were left out.
    [full] As many people as may be are using tools with keys of their own. The tools of { $server } were left out; ask again in a while.
   *[refused] { $server } does not take the key that you gave. Its tools were left out.
}
turn-key-give = Give a key

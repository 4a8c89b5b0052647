# Tools that an answer uses.
step-connects = Connecting to { $server }…
step-ask = The model wants to use “{ $tool }” of { $server }, with what stands above. May it?
step-once = Allow once
step-conversation = Allow in this conversation
step-no = Don't allow
step-never = Don't allow in this conversation
step-stop = Stop this tool
step-told = What the tool is told
step-result = What it has returned
step-done = took { $time }
step-state = { $state ->
    [asks] asks you
    [waits] waits for its turn
    [runs] at work…
    [denied] not allowed
    [stopped] stopped
   *[done] done
}
step-failed = failed: { $fault ->
    [gone] there is no such tool
    [changed] the tool has changed meanwhile
    [arguments] the model called it wrongly
    [unreachable] its server cannot be reached
    [unauthorized] its server does not take the key
    [ended] its server has ended
    [timed-out] it took too long
    [too-large] what it returned is too large
    [invalid] its server did not understand, or made no sense
    [itself] the tool says so
    [busy] too many tools are at work
    [unknown] Anteroom ended meanwhile, and it is not known whether it was done
   *[not-kept] it could not be noted, so it was not done
}
list-asks = asks you
title-asks = Asks you
call-asks = The answer asks you whether it may use a tool.

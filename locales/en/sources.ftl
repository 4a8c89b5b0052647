# Resources and prompts of servers of tools. Only the server says this: browsers are not sent it.
sources-head = Attach
sources-device = Files from this device…
sources-of-servers = From servers of tools
sources-no-resources = { $server } has nothing to attach.
sources-no-prompts = { $server } has no prompts.
sources-attach = Attach
sources-use = Put into the message
sources-waits = Asking { $server }…
sources-optional = { $name } (optional)
sources-left-out = [Left out: what is no text]
sources-cut = [Cut: it is longer than a message may be]
sources-failed = { $why ->
    [not_there] { $server } does not have this, or not any more.
    [unreachable] { $server } cannot be reached: { $more }.
    [died] { $server } has ended while it was asked.
    [timed_out] { $server } did not answer in time.
    [too_large] What { $server } has there is too large.
    [bad_arguments] { $server } does not take this: { $more }
    [refused] { $server } refuses: { $more }
    [wants_input] { $server } wants to ask somebody first, which is not done here.
   *[protocol] { $server } has answered with something that makes no sense.
}

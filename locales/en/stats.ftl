# What the server draws on the stats tab. Only the server says this: browsers are not sent it.
settings = Settings in force
settings-changed = Last changed { $ago }, without a restart.
settings-unchanged = As they were at the start. An edit of .env takes effect at once.
settings-bad-edit = The last edit ({ $ago }) was not taken over, and nothing has changed:
settings-differ = Not in force: { $names }.
settings-variable = Variable
settings-value = Value
settings-from = From
tile-model = Model
tile-sessions = Sessions
tile-connected = Connected
tile-memory = Memory
tile-ratings = Good : bad answers
tile-uptime = Uptime
tile-version = Version
unknown = unknown
limits = Limits
limits-limit = Limit
limits-of = { $running } of { $limit }
limits-no-limit = { $running } · no limit
limits-running = Running
limits-waiting = Waiting
limits-parked = { $waiting } · { $parked } parked
limits-longest = Longest wait
limits-wait = Wait p50 / p95
limits-service = Service p50 / p95
limits-done = Done
limits-failed = Failed
limits-refused = Refused
limits-cancelled = Cancelled
limits-expired = Expired
backends = Back ends
backends-name = Back end
backends-state = State
backends-first = First token p50 / p95
backends-speed = Tokens a second p50 / p95
backends-answers = Answers
backends-retries = Made again
backends-faults = Faults
backends-auto = { $running } · auto
backends-is = { $state ->
    [ready] ready
    [cooling] cooling for { $time }
    [out] out of service for { $time }
    [trying] being tried
   *[draining] draining
}
backends-found = { $outage ->
    [away] out of service: not reachable
    [failing] out of service: it fails
    [rate_limited] cooling: too many requests
   *[overloaded] cooling: overloaded
}
backends-fault = { $kind ->
    [unreachable] not reachable
    [out_of_service] out of service
    [hung_up] hung up
    [rate_limited] too many requests
    [unauthorized] key not accepted
    [unknown_model] model not there
    [redirected] sent elsewhere
    [rejected] question not taken
    [too_long] too long
    [overloaded] overloaded
    [server_fault] server’s own fault
    [stalled] fell silent
    [cut_off] cut off
    [invalid_response] not understood
    [empty] empty answer
    [spent] all spent on thoughts
    [filtered] held back
    [vision_unsupported] cannot see pictures
   *[other] { $kind }
}: { $count }
backends-mend = { $fault ->
    [unauthorized] It does not accept its key: mend the key.
    [unknown_model] It lacks a model that it is asked for: mend its list of models.
   *[redirected] It sends requests elsewhere: write its final address.
}
models = Models
models-input = Tokens in
models-output = Tokens out
models-cost = Cost
nodes = Nodes
nodes-node = Node
nodes-this = this one
nodes-log = Log
nodes-is = { $state ->
    [takes_part] takes part
    [leaving] about to end
    [silent] not heard of for { $time }
    [cut_off] cannot reach the database
   *[behind] behind
}
nodes-note = “Running” and “Waiting” are of all nodes.
tool-servers = Tools
tool-servers-server = Server of tools
tool-servers-is = { $state ->
    [idle] not in use
    [connecting] connecting
    [connected] connected
   *[out] out of service for { $time }
}
tool-servers-trouble = { $trouble ->
    [cannot_start] its program cannot be started
    [ended] it has ended by itself
    [too_slow] it was not ready in time
    [no_answer] nothing answers at its address
    [unauthorized] its key is missing, or is not taken
    [redirected] it leads to another address
    [refused] it answers with an error
    [closing] Anteroom is about to end
   *[protocol] it does not keep to the protocol
}
charts = Over time
charts-spans = Span of time
charts-span = { $span ->
    [quarter] 15 min
    [day] 24 h
   *[week] 7 days
}
tasks = Tasks
tasks-all = At this server
tasks-blocked = Need others
tasks-held = Behind the line
tasks-told = Webhooks told
tasks-outbox = To be told
tasks-given-up = Given up
setting-instead = { $instead ->
    [set] (set)
    [unset] (unset)
   *[hidden] (hidden)
}
setting-overridden = the environment wins over .env line { $line }
setting-restart = needs a restart
setting-restart-to = needs a restart to become { $then }
setting-source = { $source ->
    [environment] environment
    [file] .env
   *[default] default
}
ago-just-now = just now
ago-some-time = { $age } ago

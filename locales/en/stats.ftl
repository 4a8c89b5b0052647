# The stats tab.
refresh-waiting = Your refresh is { -ordinal } in line
refresh-every = Refreshed every { $seconds } s
settings = Settings in force
settings-changed = Last changed { $ago }, without a restart.
settings-unchanged = As they were at the start. An edit of .env takes effect at once.
settings-bad-edit = The last edit ({ $ago }) was not taken over, and nothing has changed:
settings-variable = Variable
settings-value = Value
settings-from = From
stats-asking = Asking for the figures…
tile-model = Model
tile-sessions = Sessions
tile-connected = Connected
tile-memory = Memory
tile-uptime = Uptime
tile-version = Version
unknown = unknown
limits = Limits
limits-limit = Limit
limits-of = { $running } of { $limit }
limits-no-limit = { $running } · no limit
limits-running = Running
limits-waiting = Waiting
limits-longest = Longest wait
limits-wait = Wait p50 / p95
limits-service = Service p50 / p95
limits-done = Done
limits-failed = Failed
limits-refused = Refused
limits-cancelled = Cancelled
limits-expired = Expired
charts = The last { $minutes } minutes
chart-lines = The lines
chart-done = Done
chart-running = running
chart-waiting = waiting
chart-ended = turns ended
chart-sessions = sessions
chart-memory = memory
chart-empty = The curve begins in a few seconds
chart-begin = { $minutes } min ago
chart-now = now
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

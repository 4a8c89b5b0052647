# The charts of the stats tab. Only the server says this: browsers are not sent it.
chart-lines = In the line, at most
chart-running = running
chart-waiting = waiting
chart-wait = Wait before a start, on average
chart-hours = Wait by hour of the day, last 7 days
chart-rate = Ended a minute
chart-sessions = Sessions in memory
chart-memory = Memory
chart-gap = no record
chart-empty = No record yet
chart-now = now
chart-ago = { $span ->
    [quarter] { $number } min ago
    [day] { $number } h ago
   *[week] { $number ->
        [one] { $number } day ago
       *[other] { $number } days ago
    }
}

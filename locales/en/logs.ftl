# The logs tab.
logs-dropped = { $count ->
    [one] { $count } older record had to make room
   *[other] { $count } older records had to make room
}
logs-none = No record matches.
logs-asking = Asking for the records…
logs-hidden = Whoever runs this server sees them here, with the operator’s link.
logs-level = Level, at least
logs-text = Text
logs-any = Any part of a record
logs-follow = Follow
logs-session = This browser’s session
logs-session-records = Records of this session
logs-start = The server’s start
logs-start-records = Records of the server's start

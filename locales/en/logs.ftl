# What the server draws on the logs tab. Only the server says this: browsers are not sent it.
logs-dropped = { $count ->
    [one] { $count } older record had to make room
   *[other] { $count } older records had to make room
}
logs-none = No record matches.
logs-hidden = Whoever runs this server sees them here, with the operator’s link.
logs-level = Level, at least
logs-text = Text
logs-any = Any part of a record
logs-follow = Follow
logs-session = This browser’s session
logs-session-records = Records of this session
logs-start = The server’s start
logs-start-records = Records of the server's start
logs-told = What became of your messages
logs-told-none = No message of this browser was answered since the server started.
logs-raw = The records themselves
told = { $what ->
    [answered] Your message waited { $waited }, then was answered in { $took }: { $characters ->
        [one] { $characters } character
       *[other] { $characters } characters
    }.
    [kept] Your message got an answer that was kept: { $characters ->
        [one] { $characters } character
       *[other] { $characters } characters
    }.
    [incomplete] Your message waited { $waited }. Its answer ended early, after { $took }: { $characters ->
        [one] { $characters } character
       *[other] { $characters } characters
    }.
    [stopped] Your message waited { $waited }. You stopped its answer after { $took }: { $characters ->
        [one] { $characters } character
       *[other] { $characters } characters
    }.
    [left] You left the line after { $waited }.
    [in_vain] Your message waited { $waited }, and its turn did not come.
   *[failed] Your message waited { $waited }. Its answer failed after { $took }.
}

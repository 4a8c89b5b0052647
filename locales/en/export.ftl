# A conversation as a file to keep.
export-you = You ({ $when })
export-unanswered = not answered yet
export-stopped = stopped

# {$time} is written already: 14:03.
export-date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }, { $time } UTC
export-tool = used the tool “{ $tool }” of { $server }
export-tool-unknown = called a tool that is not there: “{ $tool }”

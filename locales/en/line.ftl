# Places, times and the line. {$time} is written already: 20–35 s.
-ordinal = { $number }{ $kind ->
    [one] st
    [two] nd
    [few] rd
   *[other] th
}
time = { $count } { $unit ->
    [ms] ms
    [s] s
    [min] min
    [h] h
   *[d] d
}
estimate = { $how ->
    [unknown] time unknown yet
    [soon] any moment now
    [up-to] up to { $time }
   *[about] about { $time }
}
ago-now = now

line-rank = You are { -ordinal } of { $of } in line
line-slot-free = the slot is free
line-slot-busy = the slot is busy
line-slots-busy = { $running } of { $limit } slots busy
line-running = { $running } running, no limit
line-waiting = { $count ->
    [0] nobody waits
    [one] { $count } waits
   *[other] { $count } wait
}
line-start = { $how ->
    [at-once] starts at once
    [busy] try again in a moment
    [out] not in service
    [unknown] start unknown yet
    [soon] starts any moment
    [up-to] starts in up to { $time }
   *[about] starts in about { $time }
}

# For whoever is about to write.
prospect = { $how ->
    [at-once] A message starts at once
    [busy] Every slot is busy. Try again in a moment.
    [out] Not in service just now: a message waits until it is
    [unknown] A message: start unknown yet
    [soon] A message starts any moment
    [up-to] A message starts in up to { $time }
   *[about] A message starts in about { $time }
}
prospect-waiting = You would be { -ordinal } in line · { line-start }
line-more = … { $count } more
line-place = { -ordinal }
line-rank-short = { -ordinal } of { $of } in line

# A line beside others, before somebody chooses among them.
line-short = { $how ->
    [at-once] free
    [out] not in service
   *[busy] every slot is busy
}

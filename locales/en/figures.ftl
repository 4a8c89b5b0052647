# Sizes and spans of time. {$number} is written already.
size = { $number } { $unit ->
    [b] B
    [kb] KB
    [mb] MB
    [gb] GB
   *[tb] TB
}

# A limit of time within a sentence.
span-seconds = { $seconds ->
    [one] { $seconds } second
   *[other] { $seconds } seconds
}
span-minutes = { $minutes ->
    [one] { $minutes } minute
   *[other] { $minutes } minutes
}
span-both = { span-minutes } and { span-seconds }
percent = { $number } %

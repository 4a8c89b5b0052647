# The chat page: the composer, turns, the wait.
spoken-place = { $rank }. { $time }.
spoken-running = Your answer is being written
spoken-done = The answer is finished
spoken-left = You have left the line
title = { $page } · Anteroom
title-lost = Not connected
title-waiting = { -ordinal } in line
title-running = Answering…
title-over = Answered
answer-begins = The answer begins
composer-held = The message above comes first.
behind = Messages that follow
behind-next = Goes next
behind-later = Goes after that
behind-waits = Waits for you
behind-withdraw = Take back
behind-release = Send
composer-behind = What you send now goes after this answer.
send-without = Send without it
paste-long = That is a long text.
paste-attach = Attach it as a file
paste-is-file = The text you pasted is a file now.
paste-undo = Undo
paste-name = pasted text.txt
composer-file-again = A file was not attached: try again or remove it, then send.
composer-file-failed = A file was not attached: remove it, then send.
composer-files-pending = Sending is possible once the files are there.
composer-length = { $bytes } of { $most }
composer-too-long = Too long: { $bytes } of { $most }.
composer-lost = Not connected: what you send goes as soon as it is again.
composer-label = Your message
composer-placeholder = Write a message
composer-send = Send
composer-send-enter = Send (Enter)
stop = Stop
cancel = Cancel
prompts = Prompts
attach = Attach files
file-too-large = too large: { $bytes } of at most { $most }
file-just-too-large = too large: just over the { $most } that there may be
edit = Edit
you = You
versions = Versions
version-earlier = Earlier version
version-later = Later version
editor = Your message in other words
turn-stopped = Stopped
turn-left = You left the line before it began
turn-sending = Sending…
answer = Answer
unsent-lost = It is kept in this browser, and goes by itself as soon as the page is connected again.
unsent-again = It is kept in this browser, and is tried again by itself.
unsent = Not sent.
unsent-send-again = Send again
unsent-send-now = Send now
unsent-discard = Discard
retry = Retry
turn-took = answered in { $time }
turn-waited = waited { $time }
copy = Copy
copied = Copied
regenerate = Regenerate
rate-good = A good answer
rate-bad = A bad answer
branch = Branch
branch-what = Branch: begin a new conversation with everything up to here
continue = Continue
continue-message = Continue where you left off.
turn-sent = Sent
turn-begun = Answer begun
turn-ended = Answer ended
turn-speed = Speed
turn-per-second = { $tokens } tokens a second
turn-tokens-both = { $input } + { $output } tokens
turn-tokens = { $output ->
    [one] { $output } token
   *[other] { $output } tokens
}
waiting = Your place in the line
waiting-lost = In line
waiting-joining = Joining the line
waiting-unknown = where is shown again once this page is connected
waiting-late = longer than usual · { $time }
waiting-unmeasured = no estimate yet: nothing has been answered so far
waiting-little-measured = no estimate yet: too little has been answered so far
why-fair = People take turns here, one message each a round: whoever sends several at once waits with the rest of them in later rounds.
why-fifo = First come, first served: everybody before you has been here for longer.
receipt-waited = Waited { $time }
receipt-passed = { $count ->
    [0] passed by nobody
    [one] one who came later went first: it was their turn
   *[other] { $count } who came later went first: it was their turn
}
receipt-burst = { $earlier ->
    [0] a burst of { $found } cost you no place
    [one] a burst of { $found } cost you one place
   *[other] a burst of { $found } cost you { $earlier } places
}
receipt-found = { $found ->
    [one] one message was before yours
   *[other] of { $found } messages before yours, { $earlier } went first
}
receipt-way = From { $place } place to the door in { $time }
call-note = Notify me
call-knock = Knock when it is my turn
call-refused = This browser does not let the page notify you. Its settings for this site say so.
call-begun = It is your turn: the answer is being written.
call-answered = Your answer is there.
call-failed = Your message has come to no answer.
welcome = Come in.
welcome-lost = Not connected just now.
welcome-free = Come in, there is a place free.
welcome-taken = Every place is taken just now.
welcome-line = Every place is taken. Send, and you get one in the line.
welcome-kept = What you send is kept, and goes as soon as the connection is back.
starter-line = How does the line work?
starter-settings = Which settings are in force?
starter-markdown = Show me some Markdown
to-end = Jump to the latest
earlier = Show earlier messages
conversation = A conversation
conversation-region = Conversation
file-next = next
file-checked = being checked
file-remove = Remove { $name }
file-again = Try again: { $name }
file-not-understood = the server’s answer was not understood
file-not-through = did not get through
file-refused = was refused ({ $status })
file-is-empty = is empty
file-unsendable = could not be sent
paper = Read: { $facts }
paper-pages = { $parts ->
    [one] { $parts } page
   *[other] { $parts } pages
}
paper-sheets = { $parts ->
    [one] { $parts } sheet
   *[other] { $parts } sheets
}
paper-chapters = { $parts ->
    [one] { $parts } chapter
   *[other] { $parts } chapters
}
paper-characters = { $characters ->
    [one] { $characters } character
   *[other] { $characters } characters
}
paper-left-out = { $parts } more left out
paper-blank = { $parts } without text
paper-pictures = { $pictures ->
    [one] { $pictures } picture
   *[other] { $pictures } pictures
}
paper-pictures-left-out = pictures left out: { $pictures }
paper-cut = not all of it could be read
chat-opening = Opening the conversation…
chat-failed = This conversation could not be opened
chat-outdated = This may be out of date.
chat-absent = There is no such conversation
chat-absent-why = It may have been removed, or belongs to another browser: conversations are private to the browser that began them.
chat-absent-way = Begin a new one
code = Code
code-wrap = Wrap
code-save = Save
code-all = Show all lines
code-fewer = Show fewer lines
formula = Formula
footnote = Footnote
footnote-back = Back to the mark of footnote
table = Table
task = Done
image = image
goes-on = The answer goes on, but is too long to be shown here. Copy gives all of it.

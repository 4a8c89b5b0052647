# What people give of their own for servers of tools. Only the server says this: browsers are not sent it.
own = Your keys for tools
own-what = Some servers of tools here work on behalf of whoever asks, and want a key of each person. With yours, what a model has done there is done as you, and nobody else can use it.
own-kept = What you give is kept encrypted, goes to that server alone, and is shown to nobody again, you included. Whoever runs this site could still read it. Give a key that may do no more than you want done.
own-none = No server of tools here wants a key of yours.
own-state = { $state ->
    [missing] Not given: its tools are left out of your answers.
    [given] Given on { $date }.
    [refused] Given on { $date }. The server does not take it: it may have expired, or been revoked. Give another one.
    [unreadable] Given on { $date }, and cannot be read any more, because this site or the address of the server has changed. Give it again.
   *[unused] Given on { $date }. It is not asked for here any more.
}
own-program = Keys of { $name } for tools
own-program-what = Some servers of tools here want a key of each who asks. With one, what a model has done there for this program is done with it, and no other program and nobody else can use it. Revoking the program's key removes it.
own-program-none = No server of tools here wants a key of each who asks.
own-program-missing = Not given: its tools are left out of this program's answers.
own-give = Keep
own-replace = Replace
own-remove = Remove
own-back = Back to the conversations
own-not-kept = Nothing was kept
own-unfit = What you gave is empty, too long, or has characters in it that a key cannot have.
own-not-asked = This server does not want a key of yours any more.
own-not-sealed = It could not be encrypted, so it was not kept.

# What was said of tools for a whole conversation. Only the server says this: browsers are not sent it.
leave = What tools may do
leave-what = What you have said here of tools for the whole conversation. It holds for a tool as it was then: one that has changed asks again. What you take back is asked for when the model calls the tool next.
leave-none = You have said nothing of any tool for this conversation.
leave-allowed = “{ $tool }” of { $server } is used without asking you.
leave-never = “{ $tool }” of { $server } is not used.
leave-back = Ask me again
leave-back-of = Ask me again before “{ $tool }” is used

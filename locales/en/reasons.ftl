# Why something did not happen, or ended: what happened, and what to do.

# A message was not accepted.
reason-empty-message = Write something first: this message is empty.
reason-message-too-long = This message has { $bytes } bytes; { $most } are allowed. Shorten it, or send it as a file.
reason-too-many-files = This message has { $files } files; { $most } are allowed.
reason-attachment-gone = A file of this message is not here any more. Remove it and attach it again.
reason-conversation-gone = This conversation is not here any more. Start a new one.
reason-message-gone = This message is not here any more.
reason-conversation-busy = The last message of this conversation is not answered yet. Wait for its answer, or cancel it.
reason-too-many-behind = { $most } messages wait behind this one already, as many as may. Wait until one of them begins.
reason-message-begun = This message does not wait any more: it is being answered, or over.
reason-step-over = This use of a tool waits for nobody any more: it has been allowed or refused already, or is over.
reason-before-failed = What was written next waits: the message before it was not answered.
reason-model-not-offered = The model { $model } is not offered here. Choose another one.
reason-instructions-too-long = The instructions have { $bytes } bytes; { $most } are allowed. Shorten them.
reason-no-temperature = The temperature has to be a number from 0 to 2.
reason-no-answer-length = The longest answer has to be from 1 to { $most } tokens.
reason-message-not-kept = This message was not accepted: it could not be kept, because { -store-fault }. Try again in a moment.

# What is wrong with the store.
-store-fault = { $fault ->
    [full] the server's disk is full
    [read-only] the server's disk can only be read at the moment
    [locked] the server's database is locked at the moment
    [damaged] the server's database is damaged
    [away] the server's database cannot be reached at the moment
    [closed] the server is being restarted
   *[other] the server's database failed
}

# The line did not let somebody in.
reason-busy = Every slot is busy, and nobody waits here: try again in a moment.
reason-line-full = The line is full. Try again in a few minutes.
reason-too-many-of-yours = You have as much waiting as one browser may. Wait for an answer, or cancel something.
reason-restarting = Anteroom is being restarted. Try again in a moment.
reason-node-away = Your server cannot be reached at the moment. Try again in a moment.

# Conversations.
reason-unreadable = Your conversations cannot be read at the moment. Try again in a moment.
reason-not-changed = Nothing was changed, because { -store-fault }. Try again in a moment.
reason-conversation-unavailable = This conversation is not here any more, or is being answered at the moment.
reason-not-an-export = This is not a conversation that was saved as JSON here. Nothing was taken in.
reason-no-title = A conversation needs a title.
reason-not-confirmed = This page belongs to another session. Reload it, and try again.
reason-not-shown = Whoever runs this server keeps this to themselves.

# Files.
reason-file-empty = “{ $name }” is empty. Choose a file with something in it.
reason-file-too-large = “{ $name }” is larger than { $most }, the most that Anteroom takes. Choose a smaller file.
reason-file-unsupported = Anteroom takes text and source code, documents (PDF, DOCX, XLSX, XLS, ODS, EPUB, HTML) and images (PNG, JPEG, GIF, WebP). “{ $name }” is none of these.
reason-file-not-an-image = “{ $name }” is named like an image, but holds none that Anteroom knows (PNG, JPEG, GIF, WebP). Save it as one of these, or give it its right name.
reason-file-not-a-document = “{ $name }” is named like a document, but holds none that Anteroom can read (PDF, DOCX, XLSX, XLS, ODS, EPUB). Save it as one of these, or give it its right name.
reason-file-locked = “{ $name }” is protected by a password. Save a copy without it and attach that.
reason-file-no-text = “{ $name }” has no text that could be read, and no pictures in a form that models see. Attach its pages as images, or a version with text.
reason-file-damaged = “{ $name }” is damaged and could not be read. Save it anew in its own program and attach it again.
reason-file-too-heavy = Reading “{ $name }” takes more memory or time than one document may have. Attach a smaller part of it.
reason-file-no-reader = The server cannot read documents at the moment. Try again later, or ask whoever runs this site.
reason-file-not-utf8 = “{ $name }” is not text in UTF-8. Save it as UTF-8 and upload it again.
reason-file-gone = This file is no longer here. Upload it again.
reason-file-no-room = The server has no room left for files. Try again later, or ask whoever runs it.
reason-file-disk = The server could not keep or read the file. Try again later, or ask whoever runs it.
reason-upload-expired = No slot became free for this file in time. Try again when the line is shorter.
reason-upload-left = This file has left the line. Attach it again.
reason-upload-broken-off = The file did not arrive whole. Attach it again.
reason-upload-stalled = The file stopped arriving, so its slot went to somebody else. Attach it again.
reason-file-not-kept = This file was not kept, because { -store-fault }. Try again in a moment.

# How a turn ended.
reason-no-slot = No slot became free within { $span }. Try again when the line is shorter.
reason-away = This page was away for more than { $span }, so its message left the line. Send it again.
reason-too-slow = The answer took longer than { $span }, so it was stopped. Ask for less at once, or try again.
reason-answer-too-long = The answer grew without end, so it was stopped.
reason-given-up = Anteroom ended unexpectedly each time it answered this message, so it was given up. Try other words, and tell whoever runs this server.
reason-history-unreadable = This conversation cannot be read at the moment. Try again.
reason-mistake = Anteroom made a mistake, and has noted it. Try again.

# An answer that is not whole.
reason-incomplete-length = The model reached the longest answer it may write: this one is not whole. Ask it to go on, or for less at once.
reason-incomplete-filter = The model server's filter ended this answer before it was whole. Put the question in other words.
reason-incomplete-other = The model server ended this answer before it was whole, and did not say why. Regenerate it, or ask again.

# The model.
reason-model-unreachable = The model server cannot be reached. It may be starting or stopped; try again in a moment.
reason-model-rate-limited = The model server is receiving too many requests. Wait a little, then try again.
reason-model-unauthorized = The model server refused Anteroom's key. Whoever runs this site has to check it.
reason-model-unknown = The model server does not know the model { $model }. Whoever runs this site has to check MODEL.
reason-model-redirected = The model server's address only leads elsewhere. Whoever runs this site has to set { $variable } to where the model server itself is; the server's log names it.
reason-model-rejected = The model server did not accept this message (status { $status }). A shorter or simpler one may work.
reason-model-too-long = This message is longer than the model can read, even without the conversation before it. Send a shorter one, or fewer files.
reason-model-overloaded = The model server is loading the model or has too much to do. Try again in a moment.
reason-model-fault = The model server had a fault of its own (status { $status }). Try again in a moment.
reason-model-stalled = The model server went silent in the middle of its work. Try again.
reason-model-cut-off = The connection to the model server broke off before the answer was complete. Try again.
reason-model-invalid = The model server sent something that is not an answer. Try again; if it stays so, tell whoever runs this site.
reason-model-silent = The model gave an empty answer. Ask again, perhaps in other words.
reason-model-spent = The model reached the longest answer it may write before it had said anything: it may have thought for too long. Ask for less at once, or try again.
reason-model-filtered = The model server's filter let no answer to this through. Put the question in other words.
reason-model-blind = This model cannot look at pictures. Send the message without them.

# While messages wait for a model.
reason-model-gone = The model { $model } is not offered any more. Choose another one: this message need not be sent again.
reason-wait-unreachable = The model server cannot be reached at the moment. Messages wait, and go on by themselves once it is back.
reason-wait-rate-limited = The model server is receiving too many requests, and has asked for a pause. Messages wait until it is over.
reason-wait-overloaded = The model server is loading the model, or has too much to do. Messages wait until it is ready.
reason-wait-failing = The model server fails each time. It is tried again every now and then; until it is well, messages wait.
reason-wait-drained = The model server is being taken out of service. Messages wait until it, or another one, is there.

# Refreshes of the stats and logs tabs.
reason-refresh-failed = Anteroom made a mistake while refreshing, and has noted it. It will be tried again.
reason-refresh-left = This refresh had to leave the line. It will be tried again.
reason-refresh-missed = This refresh came when the page was away. It has to be asked for again.

# Requests.
reason-no-cookie = This page does not know you any more. Allow cookies for this site and reload the page.
reason-cross-site = This request came from another site, so it was refused. Behind a proxy, pass the Host header on.
reason-request-unreadable = This request could not be read. Reload the page, which may be older than the server.
reason-request-slow = This took too long to arrive. Check your connection, and send it again.
reason-request-too-large = This is more than the server takes at once. A message may have { $most } bytes: shorten it, or send it as a file.
reason-form-only = The server does this only for its own pages, with their scripts. Go back, and try again there.
reason-request-unknown = The server does not know this request. Reload the page, which may be older than the server.
reason-wrong-key = Its key is not the one that is in force. The server prints the link when it starts, and OPERATOR_KEY in its settings says which key it has.
reason-unreachable = The server cannot be reached. Check the connection and try again.
reason-answer-unreadable = What the server said was not understood. Reload the page, which may be older than the server.
reason-cancelled-unsent = You cancelled this before it could be sent.
reason-nothing-more = There is nothing more.
reason-files-left-out = A message takes at most { $most } files. The others were left out.

# The page of what is kept of this browser.
data-kept = This server keeps your conversations and the files in them, so that nothing is lost when you close the page or the server restarts. They belong to this browser, which it knows by a cookie: there is no account, and no other browser can read them. Whoever runs this server can. What you read last is also kept in this browser, for when there is no connection. Messages also go to the model that answers them.
data-deleted = A conversation that you delete can be brought back for a moment, then it is removed from the disk. To take one along, save it from its menu in the list first.
data-forget = Delete everything of mine
data-forget-what = All conversations and files of this browser go, from the disk too, and with them this browser's cookie and what it keeps of them. What waits or is being answered is ended. This cannot be undone. Back-ups that were made before still have it.
data-forget-begin = Delete everything…
data-forget-really = Really everything?
data-forget-yes = Yes, delete everything of mine
data-import = Bring a conversation back
data-import-what = A conversation that was saved as JSON, here or on another Anteroom, becomes one of yours again, with every version of its answers.
data-import-file = Choose a file
data-own = Your keys for tools
data-own-what = Some tools here work on your behalf, with a key that you give for them.
data-own-open = Give or remove keys

# The page that stands in for others while there is no connection. Only the server says this: it is in the service worker's script.
offline = No connection
offline-since = The server has not been reached since { $time }.
offline-looking = This page keeps looking, and makes way as soon as there is a connection.
offline-back = There is a connection again.
offline-try = Try again
offline-unsent = Not sent yet
offline-unsent-what = These messages are kept in this browser. Once there is a connection they go by themselves, but for those that were refused.
offline-read-at = Last read: { $time }
offline-cut = What came before is not kept here.
offline-missing = Nothing of this conversation is kept in this browser.
offline-others = Also read here
offline-unfinished = The answer was not finished yet.
